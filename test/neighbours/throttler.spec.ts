import { Controller, Get, type INestApplication } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerStorage } from '@nestjs/throttler';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { InjectRedis, redisClient } from '../../src/redis/index.js';
import { bootApp, clientsOf, registryOf, request } from '../support/boot-app.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { expectCleanClose } from './app-of-neighbours.js';
import { RateLimitModule, RedisThrottlerStorage } from './throttler.recipe.js';

const LIMIT = 20;

@Controller()
class VisitsController {
  constructor(@InjectRedis() readonly redis: Redis) {}

  @Get()
  visit(): Promise<number> {
    return this.redis.incr('visits');
  }
}

describeWithRedis('@nestjs/throttler', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());
  beforeEach(() => server.command('FLUSHALL'));

  const boot = (): Promise<INestApplication> =>
    bootApp(
      {
        imports: [clientsOf({ redis: redisClient(server.url) }), RateLimitModule],
        controllers: [VisitsController],
        providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
      },
      { listen: true },
    );

  it('counts on the client that handlers use, over one connection', async () => {
    const app = await boot();
    await request(app, '/');

    const storage = app.get<RedisThrottlerStorage>(ThrottlerStorage);
    expect(Reflect.get(storage, 'redis')).toBe(app.get(VisitsController).redis);
    expect(registryOf(app).peek('redis')).toBe(app.get(VisitsController).redis);
    expect(await server.clientCount()).toBe(1);
  });

  it('limits requests over all instances of an application together', async () => {
    const apps = [await boot(), await boot()];
    const statuses: number[] = [];
    for (let turn = 0; turn < LIMIT + 2; turn += 1) {
      statuses.push((await request(apps[turn % 2] as INestApplication, '/')).status);
    }

    expect(statuses).toEqual([...Array<number>(LIMIT).fill(200), 429, 429]);
    expect(await server.command('GET', 'visits')).toBe(String(LIMIT));
  });

  it('answers how many requests are left, and when to try again', async () => {
    const app = await boot();
    const first = await request(app, '/');
    expect(first.headers.get('x-ratelimit-remaining')).toBe(String(LIMIT - 1));
    expect(Number(first.headers.get('x-ratelimit-reset'))).toBeGreaterThan(55);

    let response = first;
    while (response.status === 200) response = await request(app, '/');
    expect(response.status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(55);
  });

  it.each([
    { blockDuration: 500_000, expected: [false, true, true], retryAfter: 500 },
    { blockDuration: 0, expected: [false, true, true], retryAfter: 60 },
  ])('blocks for a blockDuration of $blockDuration ms', async ({ blockDuration, expected, retryAfter }) => {
    const app = await boot();
    const storage = new RedisThrottlerStorage(app.get(VisitsController).redis);
    const records = [];
    for (const _ of expected) records.push(await storage.increment('key', 60_000, 1, blockDuration));

    expect(records.map(({ isBlocked }) => isBlocked)).toEqual(expected);
    expect(records[0]).toMatchObject({ totalHits: 1, timeToExpire: 60, timeToBlockExpire: 0 });
    expect(records[2]?.totalHits).toBeGreaterThan(1);
    expect(records[2]?.timeToBlockExpire).toBe(retryAfter);
  });

  it('leaves every key to expire', async () => {
    const app = await boot();
    const storage = new RedisThrottlerStorage(app.get(VisitsController).redis);
    for (let hit = 0; hit < 2; hit += 1) await storage.increment('open', 60_000, 5, 60_000);
    for (let hit = 0; hit < 2; hit += 1) await storage.increment('blocked', 60_000, 1, 60_000);

    expect(Number(await server.command('PTTL', 'throttler:{open}:hits'))).toBeGreaterThan(0);
    expect(Number(await server.command('PTTL', 'throttler:{blocked}:blocked'))).toBeGreaterThan(0);
    expect(await server.command('EXISTS', 'throttler:{blocked}:hits')).toBe('0');
  });

  it('leaves nothing open', async () => {
    const app = await boot();
    await request(app, '/');
    await expectCleanClose(app, ['redis']);
    await server.clients(0);
    expect(await server.clientCount()).toBe(0);
  });

  it('is what docs/neighbours.md shows', async () => {
    expect(await codeBlocksOf('docs/neighbours.md')).toContain(
      await asPublished('test/neighbours/throttler.recipe.ts'),
    );
  });
});
