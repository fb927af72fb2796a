// Uses every optional peer for what the library asks of it, on servers in this process.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { Cluster, Redis } from 'ioredis';
import { ClientRegistry, ClientsModule } from 'nestjs-clients';
import { dynamoDBClient, dynamoDBDocumentClient } from 'nestjs-clients/dynamodb';
import { redisClient, redisCluster } from 'nestjs-clients/redis';
import { ClientsHealthIndicator } from 'nestjs-clients/terminus';
import { startDynamoDBServer, startRedisServer } from 'nestjs-clients/testing';

const servers = [await startRedisServer(), await startDynamoDBServer()];
const [{ url }, { clientConfig }] = servers;
const clients = {
  redis: redisClient(url),
  cluster: redisCluster({ nodes: [url] }, { connect: 'use' }),
  dynamodb: dynamoDBClient(clientConfig),
  documents: dynamoDBDocumentClient(),
};
class App {}
Module({
  imports: [TerminusModule.forRoot({ logger: false }), ClientsModule.forRoot({ clients })],
  providers: [ClientsHealthIndicator],
})(App);
const app = await NestFactory.createApplicationContext(App, { logger: false });
const registry = app.get(ClientRegistry);

const redis = await registry.get('redis');
assert.ok(redis instanceof Redis);
assert.ok((await registry.get('cluster')) instanceof Cluster);
await redis.set('greeting', 'hello');
assert.equal(await redis.get('greeting'), 'hello');

const [dynamodb, documents] = [await registry.get('dynamodb'), await registry.get('documents')];
assert.ok(dynamodb instanceof DynamoDBClient);
assert.ok(documents instanceof DynamoDBDocumentClient);
const TableName = 'links';
await dynamodb.send(
  new CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: 'slug', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'slug', AttributeType: 'S' }],
  }),
);
while ((await dynamodb.send(new DescribeTableCommand({ TableName }))).Table.TableStatus !== 'ACTIVE');
const Item = { slug: 'nest', clicks: 3 };
await documents.send(new PutCommand({ TableName, Item }));
assert.deepEqual((await documents.send(new GetCommand({ TableName, Key: { slug: 'nest' } }))).Item, Item);

const health = await app
  .get(ClientsHealthIndicator)
  .isHealthy('clients', { clients: ['redis', 'dynamodb', 'documents'] });
assert.equal(health.clients.status, 'up', JSON.stringify(health));

const inFlight = documents.send(new GetCommand({ TableName, Key: { slug: 'nest' } }));
await app.close();
assert.deepEqual((await inFlight).Item, Item);
await assert.rejects(dynamodb.send(new DescribeTableCommand({ TableName })), { code: 'CLIENTS_CLOSED' });
assert.equal(redis.status, 'end');
await Promise.all(servers.map((server) => server.close()));
console.log('closed');
