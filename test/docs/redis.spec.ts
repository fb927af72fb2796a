import { Injectable, type Type } from '@nestjs/common';
import { Redis, type Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ClientDefinition } from '../../src/index.js';
import { InjectRedis, redisClient } from '../../src/redis/index.js';
import { startRedisServer, type RedisServer } from '../../src/testing/index.js';
import { bootApp, clientsOf, registryOf, rejection } from '../support/boot-app.js';
import {
  describeWithRedis,
  startRedisCluster,
  startRedisSentinels,
  startRedisServer as startRealServer,
} from '../support/redis-server.js';
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

  it('injects into each handler the connections that it names', async () => {
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
  it('states its defaults', () => {
    const { options } = new Redis({ lazyConnect: true });

    expect(options).toMatchObject({ connectTimeout: 10_000, maxRetriesPerRequest: 20, enableOfflineQueue: true });
    expect(options.commandTimeout).toBeUndefined();
  });

  it('states how long a command waits for a server that is down', () => {
    const { retryStrategy } = new Redis({ lazyConnect: true }).options;
    const pauses = Array.from({ length: 20 }, (_, index) => Number(retryStrategy?.(index + 1)));
    const seconds = pauses.reduce((sum, pause) => sum + pause, 0) / 1_000;

    expect(Math.max(...pauses)).toBeLessThanOrEqual(5_200);
    expect(seconds).toBeGreaterThan(71); // and some jitter
    expect(seconds).toBeLessThan(76);
  });
});

describeWithRedis(`${PAGE}, on real servers`, () => {
  const CACHE = "host: 'cache.internal', port: 6379";

  async function connect(definition: ClientDefinition<Redis>) {
    const app = await bootApp({ imports: [clientsOf({ redis: definition })] });
    const registry = registryOf(app);
    return { registry, client: (await registry.get('redis')) as Redis };
  }

  it('logs in with a secret from the vault', async () => {
    await using redis = await startRealServer({ user: { name: 'app', password: 'from the vault' } });
    const { rotating } = await runExample<{ rotating: ClientDefinition<Redis> }>(PAGE, 'rotating', {
      [at('cache.internal', 6380)]: at(redis.host, redis.port),
    });
    const { client } = await connect(rotating);
    expect(await client.call('ACL', 'WHOAMI')).toBe('app');
  });

  it('logs in to a cluster with a secret from the vault', async () => {
    await using cluster = await startRedisCluster();
    for (const server of cluster.primaries) {
      await server.command('ACL', 'SETUSER', 'app', 'on', '>from the vault', '~*', '&*', '+@all');
      await server.command('ACL', 'SETUSER', 'default', 'off');
    }
    const { rotatingCluster } = await runExample<{ rotatingCluster: ClientDefinition<Cluster> }>(
      PAGE,
      'rotatingCluster',
      { [at('redis-1.internal', 6379)]: at('127.0.0.1', cluster.nodes[0]?.port as number) },
    );
    const app = await bootApp({ imports: [clientsOf({ redis: rotatingCluster })] });
    expect(await ((await registryOf(app).get('redis')) as Cluster).set('a', 1)).toBe('OK');
    await app.close();
  });

  it.each([
    [
      'elasticache',
      "declare function presign(query: { Action: 'connect'; User: string }, expiresIn: number): Promise<string>;",
      'async function presign({ User }) { return `https://cache/?Action=connect&User=${User}`; }',
      { name: 'app', password: 'cache/?Action=connect&User=app' },
    ],
    [
      'azure',
      'declare const identity: { getToken(scope: string): Promise<{ token: string; expiresOnTimestamp: number }> };',
      'const identity = { getToken: async (scope) => ({ token: `for ${scope}`, expiresOnTimestamp: Date.now() + 3_600_000 }) };',
      { name: 'object-id', password: 'for https://redis.azure.com/.default' },
    ],
  ])('logs in with a token: %s', async (name, declared, standIn, user) => {
    await using redis = await startRealServer({ user });
    const example = await runExample<Record<string, ClientDefinition<Redis>>>(PAGE, name, {
      [declared]: standIn,
      'tls: {},': '',
      [CACHE]: at(redis.host, redis.port),
      'cache.redis.cache.windows.net': redis.host,
      'port: 6380': `port: ${redis.port}`,
    });
    const { client, registry } = await connect(example[name] as ClientDefinition<Redis>);
    expect(await client.call('ACL', 'WHOAMI')).toBe(user.name);
    expect(registry.status()[0]).not.toHaveProperty('lastError');
  });

  it('is down while writes are refused, and connects again', async () => {
    await using redis = await startRealServer();
    const { writable } = await runExample<{ writable: ClientDefinition<Redis> }>(PAGE, 'writable', {
      [CACHE]: at(redis.host, redis.port),
    });
    const { client, registry } = await connect(writable);
    expect(await registry.check('redis')).toMatchObject({ status: 'up' });
    await redis.command('REPLICAOF', '127.0.0.1', '1');
    const again = new Promise((resolve) => client.once('ready', resolve));
    expect(await registry.check('redis')).toMatchObject({
      status: 'down',
      error: { message: expect.stringMatching(/^READONLY/) },
    });
    await again;
    await redis.command('REPLICAOF', 'NO', 'ONE');
    expect(await registry.check('redis')).toMatchObject({ status: 'up' });
  });

  it('works without INFO, CLIENT and HELLO', async () => {
    const refused = ['INFO', 'CLIENT', 'HELLO'].flatMap((command) => ['--rename-command', command, '']);
    await using redis = await startRealServer({ args: refused });
    const { behindProxy } = await runExample<{ behindProxy: ClientDefinition<Redis> }>(PAGE, 'behindProxy', {
      'cache.internal': redis.host,
      'port: 6379': `port: ${redis.port}`,
    });
    const { client, registry } = await connect(behindProxy);
    expect(await client.set('a', 1)).toBe('OK');
    expect(await registry.check('redis')).toMatchObject({ status: 'up' });
    await expect.poll(() => registry.status()[0]?.connection).toBe('connected');

    const plain = await connect(redisClient({ port: redis.port }));
    expect(await plain.registry.check('redis')).toMatchObject({ status: 'down' });
  });

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
