import 'reflect-metadata';
import assert from 'node:assert/strict';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientRegistry, ClientsModule } from 'nestjs-clients';
import { dynamoDBClient, dynamoDBDocumentClient } from 'nestjs-clients/dynamodb';

class App {}
const clients = { dynamodb: dynamoDBClient({ region: 'eu-west-1' }), documents: dynamoDBDocumentClient() };
Module({ imports: [ClientsModule.forRoot({ clients })] })(App);
const app = await NestFactory.createApplicationContext(App, { logger: false });
const registry = app.get(ClientRegistry);
assert.ok((await registry.get('documents')) instanceof DynamoDBDocumentClient);
assert.deepEqual(
  registry.status().map(({ state }) => state),
  ['open', 'open'],
);
await app.close();
console.log('the document client is built on the DynamoDB client');
