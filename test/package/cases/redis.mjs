import 'reflect-metadata';
import assert from 'node:assert/strict';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cluster, Redis } from 'ioredis';
import { ClientRegistry, ClientsModule } from 'nestjs-clients';
import { redisClient, redisCluster } from 'nestjs-clients/redis';

class App {}
const clients = {
  redis: redisClient('redis://127.0.0.1:1', { connect: 'use' }),
  cluster: redisCluster({ nodes: ['redis://127.0.0.1:1'] }, { connect: 'use' }),
};
Module({ imports: [ClientsModule.forRoot({ clients })] })(App);
const app = await NestFactory.createApplicationContext(App, { logger: false });
const registry = app.get(ClientRegistry);
assert.ok((await registry.get('redis')) instanceof Redis);
assert.ok((await registry.get('cluster')) instanceof Cluster);
await app.close();
assert.deepEqual(
  registry.status().map(({ state }) => state),
  ['closed', 'closed'],
);
console.log('Redis and Cluster are built and closed');
