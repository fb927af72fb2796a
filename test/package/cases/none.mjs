import 'reflect-metadata';
import assert from 'node:assert/strict';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientRegistry, ClientsModule, defineClient } from 'nestjs-clients';
import { awsClient } from 'nestjs-clients/aws';
import { dynamoDBClient, dynamoDBDocumentClient } from 'nestjs-clients/dynamodb';
import { redisClient, redisCluster } from 'nestjs-clients/redis';
import { startDynamoDBServer, startRedisServer } from 'nestjs-clients/testing';

class App {}
let closed = 0;
Module({
  imports: [
    ClientsModule.forRoot({
      clients: {
        redis: redisClient('redis://127.0.0.1:1'),
        cluster: redisCluster({ nodes: ['redis://127.0.0.1:1'] }),
        s3: awsClient(async () => (await import('@aws-sdk/client-s3')).S3Client),
        dynamodb: dynamoDBClient(),
        documents: dynamoDBDocumentClient(),
        custom: defineClient({ create: () => ({ hello: 'world' }), close: () => void (closed += 1) }),
      },
    }),
  ],
})(App);

const app = await NestFactory.createApplicationContext(App, { logger: false });
const registry = app.get(ClientRegistry);
assert.deepEqual(await registry.get('custom'), { hello: 'world' });
for (const name of ['redis', 'cluster', 's3', 'dynamodb', 'documents']) {
  const error = await registry.get(name).then(assert.fail, (reason) => reason);
  const missing = name === 'documents' && error.code === 'CLIENTS_CREATE_FAILED' ? error.cause : error;
  assert.equal(missing.code, 'CLIENTS_MISSING_PACKAGE', `${name}: ${error.stack}`);
  assert.match(missing.message, /npm install (ioredis|@aws-sdk\/client-(s3|dynamodb))/);
}
for (const start of [startRedisServer, startDynamoDBServer]) {
  await assert.rejects(start(), { code: 'CLIENTS_MISSING_PACKAGE' });
}
await app.close();
assert.equal(closed, 1);
await assert.rejects(import('nestjs-clients/terminus'), /@nestjs\/terminus/);
await assert.rejects(import('nestjs-clients/opentelemetry'), /@opentelemetry\/api/);
console.log('a custom client works; the others name the package they need');
