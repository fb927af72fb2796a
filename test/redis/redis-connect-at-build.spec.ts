import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ClientsModule } from '../../src/index.js';
import { InjectRedis, redisClient } from '../../src/redis/index.js';
import { bootApp, rejection, registryOf } from '../support/boot-app.js';
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.js';

@Injectable()
class Warmer implements OnModuleInit {
  answer: unknown;
  constructor(@InjectRedis() readonly redis: Redis) {}

  async onModuleInit(): Promise<void> {
    this.answer = await this.redis.set('warm', '1');
  }
}

describeWithRedis("connect: 'build'", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());

  const options = () => ({ url: server.url, enableOfflineQueue: false });

  it('has the client connected when onModuleInit uses it, although it queues nothing', async () => {
    const redis = redisClient(options(), { connect: 'build', waitUntilReady: true });
    const app = await bootApp({ imports: [ClientsModule.forRoot({ clients: { redis } })], providers: [Warmer] });
    expect(app.get(Warmer).answer).toBe('OK');
    expect(registryOf(app).status()[0]).toMatchObject({ state: 'open' });
  });

  it('is needed for that: a client that connects after bootstrap refuses the command', async () => {
    const redis = redisClient(options(), { waitUntilReady: true });
    const booting = bootApp({ imports: [ClientsModule.forRoot({ clients: { redis } })], providers: [Warmer] });
    expect((await rejection(booting)).message).toContain("Stream isn't writeable");
  });

  it('fails the injection when the server does not answer in time, and leaves nothing open', async () => {
    const redis = redisClient('redis://127.0.0.1:1', { connect: 'build', waitUntilReady: true, createTimeout: 200 });
    const booting = bootApp({ imports: [ClientsModule.forRoot({ clients: { redis } })], providers: [Warmer] });
    expect(await rejection(booting)).toMatchObject({ code: 'CLIENTS_CREATE_TIMEOUT', client: 'redis' });
  });

  it('connects in the background without waitUntilReady', async () => {
    const redis = redisClient(server.url, { connect: 'build' });
    const app = await bootApp({ imports: [ClientsModule.forRoot({ clients: { redis } })], providers: [Warmer] });
    expect(app.get(Warmer).answer).toBe('OK');
  });
});
