// An application with Redis only. It must run where there is no node_modules.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { NestFactory } from '@nestjs/core';
import { ClientRegistry, ClientsModule } from 'nestjs-clients';
import { redisClient } from 'nestjs-clients/redis';

async function main() {
  const clients = { redis: redisClient(process.env.REDIS_URL) };
  const app = await NestFactory.createApplicationContext(ClientsModule.forRoot({ clients }), { logger: ['error'] });
  const registry = app.get(ClientRegistry);
  const redis = await registry.get('redis');
  await redis.set('greeting', 'hello');
  assert.equal(await redis.get('greeting'), 'hello');
  assert.equal((await registry.check('redis')).status, 'up');
  const sdk = await import('ioredis');
  assert.ok(redis instanceof (sdk.Redis ?? sdk.default.Redis), 'of the copy that the application imports');
  await app.close();
  console.log('closed');
}
void main();
