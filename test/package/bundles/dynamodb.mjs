// An application with DynamoDB only: neither lib-dynamodb nor ioredis is installed. It must run where there is no node_modules.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { NestFactory } from '@nestjs/core';
import { ClientRegistry, ClientsModule } from 'nestjs-clients';
import { dynamoDBClient } from 'nestjs-clients/dynamodb';

async function main() {
  const clients = { dynamodb: dynamoDBClient(JSON.parse(process.env.DYNAMODB)) };
  const app = await NestFactory.createApplicationContext(ClientsModule.forRoot({ clients }), { logger: ['error'] });
  const registry = app.get(ClientRegistry);
  const dynamodb = await registry.get('dynamodb');
  assert.equal((await registry.check('dynamodb')).status, 'up');
  const sdk = await import('@aws-sdk/client-dynamodb');
  const { DynamoDBClient } = sdk.DynamoDBClient ? sdk : sdk.default;
  assert.ok(dynamodb instanceof DynamoDBClient, 'of the copy that the application imports');
  await app.close();
  console.log('closed');
}
void main();
