import 'reflect-metadata';
import assert from 'node:assert/strict';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientRegistry, ClientsModule } from 'nestjs-clients';
import { redisClient } from 'nestjs-clients/redis';
import { closeAllClients, startRedisServer } from 'nestjs-clients/testing';

const server = await startRedisServer();
class App {}
Module({ imports: [ClientsModule.forRoot({ clients: { redis: redisClient(server.url) } })] })(App);
const app = await NestFactory.createApplicationContext(App, { logger: false });
const redis = await app.get(ClientRegistry).get('redis');
await redis.set('greeting', 'hello');
assert.equal(await redis.get('greeting'), 'hello');
await closeAllClients();
assert.equal(redis.status, 'end');
await server.close();
console.log('a client talks to the in-process Redis server');
