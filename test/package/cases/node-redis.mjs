import 'reflect-metadata';
import assert from 'node:assert/strict';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientRegistry, ClientsModule } from 'nestjs-clients';
import { nodeRedisClient, nodeRedisCluster, nodeRedisSentinel } from 'nestjs-clients/node-redis';
import { RedisClient, RedisCluster, RedisSentinel } from 'redis';

class App {}
const clients = {
  redis: nodeRedisClient('redis://127.0.0.1:1', { connect: 'use' }),
  cluster: nodeRedisCluster({ rootNodes: [{ url: 'redis://127.0.0.1:1' }] }, { connect: 'use' }),
  sentinel: nodeRedisSentinel(
    { name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] },
    { connect: 'use' },
  ),
};
Module({ imports: [ClientsModule.forRoot({ clients })] })(App);
const app = await NestFactory.createApplicationContext(App, { logger: false });
const registry = app.get(ClientRegistry);
assert.ok((await registry.get('redis')) instanceof RedisClient);
assert.ok((await registry.get('cluster')) instanceof RedisCluster);
assert.ok((await registry.get('sentinel')) instanceof RedisSentinel);
await app.close();
assert.deepEqual(
  registry.status().map(({ state }) => state),
  ['closed', 'closed', 'closed'],
);
console.log('node-redis, its Cluster and Sentinel are built and closed');
