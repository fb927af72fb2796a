import 'reflect-metadata';
import assert from 'node:assert/strict';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientRegistry, ClientsModule } from 'nestjs-clients';
import { dynamoDBClient, dynamoDBDocumentClient } from 'nestjs-clients/dynamodb';

class App {}
const clients = { dynamodb: dynamoDBClient({ region: 'eu-west-1' }), documents: dynamoDBDocumentClient() };
Module({ imports: [ClientsModule.forRoot({ clients })] })(App);
const app = await NestFactory.createApplicationContext(App, { logger: false });
const registry = app.get(ClientRegistry);
assert.ok((await registry.get('dynamodb')) instanceof DynamoDBClient);
await assert.rejects(registry.get('documents'), /npm install @aws-sdk\/lib-dynamodb/);
await app.close();
console.log('DynamoDB is built and closed; the document client names the package it needs');
