import 'reflect-metadata';
import assert from 'node:assert/strict';
import { CreateTableCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientRegistry, ClientsModule } from 'nestjs-clients';
import { dynamoDBClient } from 'nestjs-clients/dynamodb';
import { startDynamoDBServer } from 'nestjs-clients/testing';

const server = await startDynamoDBServer();
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const dynamodb = dynamoDBClient({ endpoint: server.endpoint, region: 'local', credentials });
class App {}
Module({ imports: [ClientsModule.forRoot({ clients: { dynamodb } })] })(App);
const app = await NestFactory.createApplicationContext(App, { logger: false });
const client = await app.get(ClientRegistry).get('dynamodb');
await client.send(
  new CreateTableCommand({
    TableName: 'links',
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: 'slug', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'slug', AttributeType: 'S' }],
  }),
);
assert.deepEqual((await client.send(new ListTablesCommand())).TableNames, ['links']);
await app.close();
await server.close();
console.log('a client talks to the in-process DynamoDB server');
