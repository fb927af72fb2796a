import { CACHE_MANAGER, type Cache } from '@nestjs/cache-manager';
import { Inject, Injectable, type BeforeApplicationShutdown, type INestApplication } from '@nestjs/common';
import type { Keyv } from 'keyv';
import type { RedisClientType } from 'redis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { InjectRedis, nodeRedisClient } from '../../src/node-redis/index.js';
import { bootApp, clientsOf } from '../support/boot-app.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { expectCleanClose } from './app-of-neighbours.js';
import { AppCacheModule } from './cache-manager.recipe.js';

@Injectable()
class Catalogue implements BeforeApplicationShutdown {
  lastReply?: string;

  constructor(
    @InjectRedis() readonly redis: RedisClientType,
    @Inject(CACHE_MANAGER) readonly cache: Cache,
  ) {}

  /** CacheModule has disconnected its stores by now: it does so in onModuleDestroy. */
  async beforeApplicationShutdown(): Promise<void> {
    this.lastReply = await this.redis.ping();
  }
}

describeWithRedis('@nestjs/cache-manager', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());
  beforeEach(() => server.command('FLUSHALL'));

  const boot = (): Promise<INestApplication> =>
    bootApp({ imports: [clientsOf({ redis: nodeRedisClient(server.url) }), AppCacheModule], providers: [Catalogue] });

  it('caches on the client that handlers use, over one connection', async () => {
    const { cache, redis } = (await boot()).get(Catalogue);
    await cache.set('book:1', { title: 'Emma', pages: 474 });

    expect(await cache.get('book:1')).toEqual({ title: 'Emma', pages: 474 });
    expect(await redis.exists('cache::book:1')).toBe(1);
    expect(Reflect.get((cache.stores[0] as Keyv).store as object, 'client')).toBe(redis);
    expect(await server.clientCount()).toBe(1);
  });

  it('lets entries expire in Redis, by default after what the module says', async () => {
    const { cache, redis } = (await boot()).get(Catalogue);
    await cache.set('default', 1);
    await cache.set('long', 1, 600_000);
    await cache.set('forever', 1, 0);

    expect(await redis.pTTL('cache::default')).toBeGreaterThan(50_000);
    expect(await redis.pTTL('cache::default')).toBeLessThanOrEqual(60_000);
    expect(await redis.pTTL('cache::long')).toBeGreaterThan(500_000);
    expect(await redis.pTTL('cache::forever')).toBe(-1);
  });

  it('misses, reads and deletes', async () => {
    const { cache } = (await boot()).get(Catalogue);
    expect(await cache.get('nothing')).toBeUndefined();
    await cache.mset([
      { key: 'a', value: 1 },
      { key: 'b', value: 2 },
    ]);
    expect(await cache.mget(['a', 'nothing', 'b'])).toEqual([1, undefined, 2]);
    await cache.del('a');
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.wrap('c', () => 3)).toBe(3);
    expect(await cache.get('c')).toBe(3);
  });

  it('clears the cache and nothing else', async () => {
    const { cache, redis } = (await boot()).get(Catalogue);
    await redis.set('visits', 7);
    for (let index = 0; index < 3_000; index += 1) void redis.set(`cache::${index}`, index);
    await cache.clear();
    expect(await redis.keys('*')).toEqual(['visits']);
  });

  it('leaves the client open for the rest of the shutdown, and then nothing open', async () => {
    const app = await boot();
    const catalogue = app.get(Catalogue);
    await catalogue.cache.set('a', 1);

    await expectCleanClose(app, ['redis']);
    expect(catalogue.lastReply).toBe('PONG');
    await server.clients(0);
  });

  it('is what docs/neighbours.md shows', async () => {
    expect(await codeBlocksOf('docs/neighbours.md')).toContain(
      await asPublished('test/neighbours/cache-manager.recipe.ts'),
    );
  });
});
