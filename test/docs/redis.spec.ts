import { Injectable, type Type } from '@nestjs/common';
import { Redis, type Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ClientDefinition } from '../../src/index.js';
import { InjectRedis, redisClient } from '../../src/redis/index.js';
import { startRedisServer, type RedisServer } from '../../src/testing/index.js';
import { bootApp, clientsOf, registryOf, rejection } from '../support/boot-app.js';
import { describeWithRedis, startRedisCluster, startRedisSentinels } from '../support/redis-server.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { runExample } from './examples.js';

const PAGE = 'docs/redis.md';
type Pair = [{ host: string; port: number }, { host: string; port: number }];

const LOCAL = 'redis://localhost:6379';

@Injectable()
class Handler {
  constructor(@InjectRedis() readonly redis: Redis) {}
}

function at(host: string, port: number): string {
  return `host: '${host}', port: ${port}`;
}

describe(PAGE, () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());

  it('gives each handler the connections that it names', async () => {
    const { SessionsModule, Sessions } = await runExample<{
      SessionsModule: Type;
      Sessions: Type<{ cache: Redis; sessions: Redis }>;
    }>(PAGE, 'SessionsModule', { [LOCAL]: server.url });
    const app = await bootApp(SessionsModule);
    const { cache, sessions } = app.get(Sessions);

    await sessions.set('ada', 'in');
    await cache.select(1);
    expect(await cache.get('session:ada')).toBe('in');
    expect(registryOf(app).peek('subscriber')).toBeUndefined();
  });

  it('leaves a duplicate to whoever made it', async () => {
    const app = await bootApp({ imports: [clientsOf({ redis: redisClient(server.url) })], providers: [Handler] });
    const { redis } = app.get(Handler);
    const duplicate = redis.duplicate();
    onTestFinished(() => duplicate.disconnect());

    await duplicate.ping();
    await app.close();
    expect(redis.status).toBe('end');
    expect(await duplicate.ping()).toBe('PONG');
  });

  it.each(['impatient', 'strict'])('fails within a second while the server is down or silent: %s', async (name) => {
    const proxy = await startTcpProxy(server);
    onTestFinished(() => proxy.close());
    const example = await runExample<Record<string, ClientDefinition<Redis>>>(PAGE, name, {
      [LOCAL]: `redis://${proxy.host}:${proxy.port}`,
    });
    const clients = { redis: example[name] as ClientDefinition<Redis> };
    const app = await bootApp({ imports: [clientsOf(clients)], providers: [Handler] });
    const { redis } = app.get(Handler);
    const fails = async (): Promise<void> => {
      const start = performance.now();
      expect((await rejection(redis.ping())).message).not.toBe('');
      expect(performance.now() - start).toBeLessThan(1_000);
    };

    expect(await redis.ping()).toBe('PONG');
    proxy.freeze();
    await fails();
    proxy.thaw();
    await proxy.refuse();
    await fails();
    await fails();
  });
});

describe(`${PAGE}, on ioredis itself`, () => {
  it('tells its defaults', () => {
    const { options } = new Redis({ lazyConnect: true });

    expect(options).toMatchObject({ connectTimeout: 10_000, maxRetriesPerRequest: 20, enableOfflineQueue: true });
    expect(options.commandTimeout).toBeUndefined();
  });

  it('tells how long a command waits for a server that is down', () => {
    const { retryStrategy } = new Redis({ lazyConnect: true }).options;
    const pauses = Array.from({ length: 20 }, (_, index) => Number(retryStrategy?.(index + 1)));
    const seconds = pauses.reduce((sum, pause) => sum + pause, 0) / 1_000;

    expect(Math.max(...pauses)).toBeLessThanOrEqual(5_200);
    expect(seconds).toBeGreaterThan(71); // and some jitter
    expect(seconds).toBeLessThan(76);
  });
});

describeWithRedis(`${PAGE}, on real servers`, () => {
  it('finds the nodes of a Cluster', async () => {
    await using cluster = await startRedisCluster();
    const [first, second] = cluster.nodes as Pair;
    const { CountersModule, Counters } = await runExample<{
      CountersModule: Type;
      Counters: Type<{ redis: Cluster }>;
    }>(PAGE, 'CountersModule', {
      [at('redis-1.internal', 6379)]: at(first.host, first.port),
      [at('redis-2.internal', 6379)]: at(second.host, second.port),
    });
    const app = await bootApp(CountersModule);

    expect(await app.get(Counters).redis.incr('{user:1}:orders')).toBe(1);
    expect(await registryOf(app).check('redis')).toMatchObject({ status: 'up' });
    await app.close();
  });

  it('asks the Sentinels where to connect', async () => {
    await using sentinels = await startRedisSentinels();
    const [first, second] = sentinels.options.sentinels as Pair;
    const { LedgerModule, Ledger } = await runExample<{ LedgerModule: Type; Ledger: Type<{ redis: Redis }> }>(
      PAGE,
      'LedgerModule',
      {
        [at('sentinel-1.internal', 26_379)]: at(first.host, first.port),
        [at('sentinel-2.internal', 26_379)]: at(second.host, second.port),
        "'main'": `'${sentinels.name}'`,
      },
    );
    const app = await bootApp(LedgerModule);

    await app.get(Ledger).redis.set('balance', '1');
    expect(await sentinels.primary.command('GET', 'balance')).toBe('1');
    await app.close();
  });
});
