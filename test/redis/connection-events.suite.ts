import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { Cluster, Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import type { ClientDefinition, ClientEvent } from '../../src/index.js';
import { redisClient, redisCluster, type RedisClientOptions } from '../../src/redis/index.js';
import { bootApp, clientsOf, nextEvent, recordEvents, registryOf } from '../support/boot-app.js';
import {
  describeWithRedis,
  freePort,
  startRedisCluster,
  startRedisSentinels,
  startRedisServer,
} from '../support/redis-server.js';
import { titledOptions } from '../support/titled.js';

const HUNG_UP = 'the server closed the connection before the client was ready';
const SHORT_RETRY = { retryStrategy: () => 50 };
/** Attempts to connect that a listener has seen before a test looks at what they have caused. */
const ATTEMPTS = 5;

/** A listener that accepts each connection and hangs up, at once or as soon as it is asked something. */
async function startHangingUp(when: 'at once' | 'when asked') {
  const attempts: (() => void)[] = [];
  let accepted = 0;
  const server = createServer((socket) => {
    accepted += 1;
    socket.on('error', () => {});
    if (when === 'at once') socket.destroy();
    else socket.once('data', () => socket.destroy());
    for (const check of attempts) check();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    attempted: (count: number) =>
      new Promise<void>((resolve) => {
        const check = (): void => {
          if (accepted >= count) resolve();
        };
        attempts.push(check);
        check();
      }),
  };
}

async function boot<T extends Redis | Cluster>(definition: ClientDefinition<T>) {
  const app = await bootApp({ imports: [clientsOf({ redis: definition })] });
  const registry = registryOf(app);
  const events = recordEvents(registry);
  const client = (await registry.get('redis')) as T;
  /** What has been told of the connection, in order. */
  const told = (): ClientEvent['type'][] =>
    events.map(({ type }) => type).filter((type) => ['connected', 'disconnected', 'error'].includes(type));
  /** The same without errors. */
  const changes = () => told().filter((type) => type !== 'error');
  const errors = () => events.flatMap((event) => (event.type === 'error' ? [event.error.message] : []));
  /** Resolves with the event once it has come, now or before. */
  const until = async <K extends ClientEvent['type']>(type: K, count = 1) => {
    const found = () => events.filter((event): event is Extract<ClientEvent, { type: K }> => event.type === type);
    while (found().length < count) await nextEvent(registry, type);
    return found()[count - 1] as Extract<ClientEvent, { type: K }>;
  };
  return { app, registry, events, client, told, changes, errors, until };
}

/** The promises of `onConnection`, which hold whatever version of ioredis the file that calls this has put in place. */
export function testConnectionEvents(version: string): void {
  describeWithRedis(`the connection of a Redis client, ${version}`, () => {
    it('is lost when the server is killed, and gained once it is back, each published once', async () => {
      await using server = await startRedisServer();
      const { registry, told, changes, until } = await boot(redisClient({ port: server.port, ...SHORT_RETRY }));
      const first = await until('connected');
      expect(registry.status()[0]).toMatchObject({ connection: 'connected', connectedAt: first.at });

      await server.kill();
      await until('disconnected');
      expect(registry.status()[0]).toMatchObject({ connection: 'disconnected' });
      await until('error');
      await server.restart();
      const again = await until('connected', 2);

      expect(changes()).toEqual(['connected', 'disconnected', 'connected']);
      expect(told().indexOf('error')).toBeGreaterThan(told().indexOf('disconnected'));
      expect(again.duration).toBeGreaterThan(0);
      const { connection, connectedAt, lastError } = registry.status()[0] ?? {};
      expect(connection).toBe('connected');
      expect(Number(connectedAt)).toBeGreaterThanOrEqual(Number(lastError?.at)); // an older error is over
    });

    it('is lost without an error when the server kills it, idle or busy', async () => {
      await using server = await startRedisServer();
      const { client, told, until, events } = await boot(redisClient({ port: server.port, ...SHORT_RETRY }));
      await until('connected');
      for (const busy of [false, true]) {
        const count = told().filter((type) => type === 'connected').length;
        const work = busy ? Array.from({ length: 100 }, () => client.incr('a')) : [];
        await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
        await Promise.all(work);
        await until('connected', count + 1);
      }
      expect(told()).toEqual(['connected', 'disconnected', 'connected', 'disconnected', 'connected']);
      for (const event of events) if (event.type === 'disconnected') expect(event).not.toHaveProperty('error');
    });

    it.each(['at once', 'when asked'] as const)('is an error when the server accepts and hangs up %s', async (when) => {
      const server = await startHangingUp(when);
      const { registry, changes, errors, until } = await boot(redisClient({ port: server.port, ...SHORT_RETRY }));
      await server.attempted(ATTEMPTS);
      await until('error', ATTEMPTS - 1);
      expect(changes()).toEqual([]);
      // Of a socket that it can no longer write to, ioredis has emitted an error by itself: one for each attempt, not two.
      expect(errors().filter((message) => message !== HUNG_UP && !/EPIPE|ECONNRESET/.test(message))).toEqual([]);
      expect(errors().length).toBeLessThanOrEqual(server.accepted());
      expect(registry.status()[0]).toMatchObject({ connection: 'connecting', lastError: { message: errors().at(-1) } });
    });

    it('is an error when the server hangs up on a client without a ready check', async () => {
      const server = await startHangingUp('at once');
      const silent = { enableReadyCheck: false, disableClientInfo: true, protocol: 2 } as const;
      const { changes, errors, until } = await boot(redisClient({ port: server.port, ...silent, ...SHORT_RETRY }));
      await until('error');
      await server.attempted(ATTEMPTS);
      expect(changes()).toEqual([]);
      // The PING that confirms the connection may find a socket that it cannot write to any more: that is the error then.
      expect(errors().filter((message) => message !== HUNG_UP && !/EPIPE|ECONNRESET/.test(message))).toEqual([]);
      expect(errors().length).toBeLessThanOrEqual(server.accepted());
    });

    it.each([true, false])(
      'is never gained with a wrong password, which is the only error, with enableReadyCheck: $0',
      async (enableReadyCheck) => {
        await using server = await startRedisServer({ password: 'right' });
        const { changes, errors, until } = await boot(
          redisClient({ port: server.port, password: 'wrong', enableReadyCheck, ...SHORT_RETRY }),
        );
        await until('error', ATTEMPTS);
        expect(changes()).toEqual([]);
        expect(errors().filter((message) => !message.includes('WRONGPASS'))).toEqual([]);
      },
    );

    it.each(titledOptions([{}, { protocol: 2, disableClientInfo: true }] as RedisClientOptions[]))(
      'is watched without the ready check too, with %s',
      async (_, options) => {
        await using server = await startRedisServer();
        const { changes, until } = await boot(
          redisClient({ port: server.port, enableReadyCheck: false, ...options, ...SHORT_RETRY }),
        );
        await until('connected');
        await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
        await until('connected', 2);
        expect(changes()).toEqual(['connected', 'disconnected', 'connected']);
      },
    );

    it('is gained without the ready check by a user who may not PING', async () => {
      await using server = await startRedisServer();
      await server.command('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '+@read', '+@write', '-ping');
      const { changes, until } = await boot(
        redisClient({ port: server.port, username: 'app', password: 'pw', enableReadyCheck: false }),
      );
      await until('connected');
      expect(changes()).toEqual(['connected']);
    });

    it('is not lost when the application closes, and not when a handler ends it on purpose', async () => {
      await using server = await startRedisServer();
      const first = await boot(redisClient({ port: server.port }));
      await first.until('connected');
      await first.app.close();
      expect(first.changes()).toEqual(['connected']);

      const second = await boot(redisClient({ port: server.port }));
      await second.until('connected');
      const ended = once(second.client, 'end');
      await second.client.quit();
      await ended;
      expect(second.changes()).toEqual(['connected']);
    });

    it.each([null, () => null])('is lost when the client gives up, with retryStrategy %s', async (retryStrategy) => {
      await using server = await startRedisServer();
      const { changes, until } = await boot(redisClient({ port: server.port, retryStrategy }));
      await until('connected');
      await server.kill();
      await until('disconnected');
      expect(changes()).toEqual(['connected', 'disconnected']);
    });

    it('is not published before the server is there, and is then gained once', async () => {
      const port = await freePort();
      const { changes, errors, until } = await boot(redisClient({ port, ...SHORT_RETRY }));
      await until('error', 2);
      const server = await startRedisServer({ port });
      onTestFinished(() => server.close());
      await until('connected');
      expect(changes()).toEqual(['connected']);
      expect(errors().every((message) => message.includes('ECONNREFUSED'))).toBe(true);
    });

    it('is lost and gained once when a Sentinel fails over', async () => {
      await using group = await startRedisSentinels();
      const { client, changes, until } = await boot(redisClient({ ...group.options, ...SHORT_RETRY }));
      await until('connected');
      await group.primary.kill();
      await until('connected', 2);
      expect(changes()).toEqual(['connected', 'disconnected', 'connected']);
      expect(await client.set('a', 1)).toBe('OK');
      expect(await group.replica.command('GET', 'a')).toBe('1');
    });
  });

  describeWithRedis(`the connection of a cluster client, ${version}`, () => {
    it('exists while some node does, is lost with the last one, and gained when they are back', async () => {
      await using cluster = await startRedisCluster();
      const { client, registry, changes, until } = await boot(redisCluster({ nodes: cluster.nodes }));
      await until('connected');
      await Promise.all(['a', 'b', 'c', 'd'].map((key) => client.set(key, 1)));

      const left = once(client, '-node');
      await cluster.primaries[0]?.kill();
      await left;
      expect(changes()).toEqual(['connected']);

      for (const server of cluster.primaries) await server.kill();
      await until('disconnected');
      expect(registry.status()[0]).toMatchObject({ connection: 'disconnected' });

      for (const server of cluster.primaries) await server.restart();
      await until('connected', 2);
      expect(changes()).toEqual(['connected', 'disconnected', 'connected']);
    });

    it('is lost without any traffic, although ioredis would notice nothing before the next command', async () => {
      await using cluster = await startRedisCluster();
      const { client, until } = await boot(redisCluster({ nodes: cluster.nodes }));
      await until('connected');
      expect(client.nodes().some(({ status }) => status === 'wait')).toBe(true); // so that the pool would stay as it is
      for (const server of cluster.primaries) await server.kill();
      const lost = await until('disconnected');
      expect(lost.error?.message).toMatch('ECONNREFUSED');
    });

    it('is not lost with the only connection that it has used, when other nodes are there', async () => {
      await using cluster = await startRedisCluster();
      const { client, changes, until } = await boot(redisCluster({ nodes: cluster.nodes }));
      await until('connected');
      await client.set('a', 1);
      const used = client.nodes().filter(({ status }) => status === 'ready');
      expect(used.length).toBeLessThan(3);
      const left = once(client, '-node');
      for (const server of cluster.primaries) await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
      await left;
      expect(await client.set('a', 2)).toBe('OK');
      expect(changes()).toEqual(['connected']);
    });
  });
}
