import { once } from 'node:events';
import { inspect } from 'node:util';
import type { INestApplication } from '@nestjs/common';
import type { Cluster, Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import type { ClientDefinition, ClientEvent } from '../../src/index.js';
import { duplicateRedis } from '../../src/redis/duplicates.js';
import { redisClient, redisCluster, type RedisCredentialsProvider } from '../../src/redis/index.js';
import { bootApp, clientsOf, nextEvent, recordEvents, registryOf, rejection } from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';
import { ADMIN, loginsOf, Tokens, turnDefaultOff } from '../support/redis-tokens.js';
import { RecordingLogger } from '../support/recording-logger.js';
import {
  describeWithRedis,
  startRedisCluster,
  startRedisSentinels,
  startRedisServer,
} from '../support/redis-server.js';
import { titled } from '../support/titled.js';

const SHORT_RETRY = { retryStrategy: () => 50 };
async function startTokenServer() {
  const server = await startRedisServer();
  onTestFinished(() => server.close());
  const ask = await turnDefaultOff(server);
  const tokens = new Tokens([ask]);
  await tokens.issue();
  /** Connections of the user "app". */
  const connections = async () => String(await ask('CLIENT', 'LIST')).split(' user=app ').length - 1;
  return { ask, tokens, port: server.port, connections };
}

async function startTokenCluster() {
  const cluster = await startRedisCluster();
  onTestFinished(() => cluster.close());
  const tokens = new Tokens(await Promise.all(cluster.primaries.map(turnDefaultOff)));
  await tokens.issue();
  return { cluster, tokens, nodes: cluster.nodes };
}

/** Credentials that are there only when the test lets them answer. */
function answerLate(tokens: Tokens) {
  const asked = deferred();
  const answer = deferred();
  const credentials: RedisCredentialsProvider = async () => {
    asked.resolve();
    await answer.promise;
    return tokens.current();
  };
  return { asked, answer, credentials };
}

async function expectToCloseAtOnce(app: INestApplication, client: Redis | Cluster): Promise<void> {
  const start = performance.now();
  await app.close();
  expect(performance.now() - start).toBeLessThan(1_000);
  expect(client.status).toBe('end');
}

async function boot<T extends Redis | Cluster>(definition: ClientDefinition<T>, logger = new RecordingLogger()) {
  const app = await bootApp({ imports: [clientsOf({ redis: definition })] }, { logger });
  const registry = registryOf(app);
  const events = recordEvents(registry);
  const client = (await registry.get('redis')) as T;
  const errors = () => events.flatMap((event) => (event.type === 'error' ? [event.error.message] : []));
  const until = async (type: ClientEvent['type'], count = 1) => {
    while (events.filter((event) => event.type === type).length < count) await nextEvent(registry, type);
  };
  return { app, registry, events, client, logger, errors, until };
}

/** Sends commands one after the other on several keys, until it is told to stop; says what has failed. */
function startLoad(client: Redis | Cluster) {
  const over = new AbortController();
  let answered = 0;
  const failures: string[] = [];
  const workers = ['a', 'b', 'c', 'd'].map(async (key) => {
    while (!over.signal.aborted) {
      await client.incr(key).then(
        () => (answered += 1),
        (error: Error) => failures.push(error.message),
      );
    }
  });
  return {
    async stop() {
      over.abort();
      await Promise.all(workers);
      return { answered, failures };
    },
  };
}

/** The promises of `credentials`, which hold whatever version of ioredis the file that calls this has put in place. */
export function testCredentials(version: 'ioredis 5' | 'ioredis 6'): void {
  describeWithRedis(`credentials of a Redis client, ${version}`, () => {
    it('are asked for at each attempt to connect, and not for a command', async () => {
      const { tokens, port } = await startTokenServer();
      const { client, until, errors } = await boot(redisClient({ port, credentials: tokens.current, ...SHORT_RETRY }));
      await until('connected');
      await Promise.all(Array.from({ length: 100 }, () => client.incr('a')));
      expect(tokens.asked).toBe(1);

      await tokens.issue({ only: true });
      await tokens.killAll();
      await until('connected', 2);
      expect(await client.call('ACL', 'WHOAMI')).toBe('app');
      expect(tokens.asked).toBe(2);
      expect(errors()).toEqual([]);
    });

    it('replace one another under load, with no failed command, on one connection', async () => {
      const { ask, tokens, port, connections } = await startTokenServer();
      const { client, until, errors } = await boot(redisClient({ port, credentials: tokens.expiring }));
      await until('connected');
      const load = startLoad(client);
      await expect.poll(() => tokens.asked, { timeout: 10_000 }).toBeGreaterThan(4);
      const { answered, failures } = await load.stop();

      expect(failures).toEqual([]);
      expect(errors()).toEqual([]);
      expect(answered).toBeGreaterThan(100);
      expect(await connections()).toBe(1);
      expect(await loginsOf(ask)).toBeGreaterThan(3);
    });

    it('that the server no longer accepts are an error, and the next ones work', async () => {
      const { tokens, port } = await startTokenServer();
      const { client, until, errors } = await boot(
        redisClient({ port, credentials: tokens.current, maxRetriesPerRequest: null, ...SHORT_RETRY }),
      );
      await until('connected');
      const stale = tokens.issued.at(-1) as string;
      await tokens.issue({ only: true });
      tokens.issued.push(stale);
      await tokens.killAll();
      await until('error', 2);
      expect(errors()).toContainEqual(expect.stringContaining('WRONGPASS'));
      await tokens.issue();
      await until('connected', 2);
      expect(await client.set('a', 1)).toBe('OK');
    });

    it('that cannot be fetched are a failed attempt: an error event, then the retryStrategy', async () => {
      const { tokens, port } = await startTokenServer();
      const attempts: number[] = [];
      let failures = 2;
      const credentials: RedisCredentialsProvider = async () => {
        if (failures-- > 0) throw new Error('the vault is sealed');
        return tokens.current();
      };
      const retryStrategy = (attempt: number) => {
        attempts.push(attempt);
        return 20;
      };
      const { client, errors, until, events } = await boot(redisClient({ port, credentials, retryStrategy }));
      expect(await client.set('a', 1)).toBe('OK'); // has waited
      await until('connected');
      expect(errors()).toEqual(Array.from({ length: 2 }, () => 'credentials() failed: the vault is sealed'));
      expect(attempts).toEqual([1, 2]);
      expect(events.filter(({ type }) => type === 'disconnected')).toEqual([]);
    });

    it('that do not come within connectTimeout are a failed attempt', async () => {
      const { tokens, port } = await startTokenServer();
      let isHanging = true;
      const credentials: RedisCredentialsProvider = () => (isHanging ? new Promise(() => {}) : tokens.current());
      const { registry, client, errors, until } = await boot(
        redisClient({ port, credentials, connectTimeout: 100, ...SHORT_RETRY }),
      );
      await until('error', 2);
      expect(new Set(errors())).toEqual(new Set(['credentials() gave no answer within 100 ms (connectTimeout)']));
      expect(await registry.check('redis', { timeout: 1_000 })).toMatchObject({ status: 'down' });
      isHanging = false;
      await until('connected');
      expect(await client.ping()).toBe('PONG');
    });

    it('may be slow', async () => {
      const { tokens, port } = await startTokenServer();
      const answer = deferred();
      const credentials = () => answer.promise.then(tokens.current);
      const { client, until, errors } = await boot(redisClient({ port, credentials }));
      const reply = client.set('a', 1);
      answer.resolve();
      expect(await reply).toBe('OK');
      await until('connected');
      expect(errors()).toEqual([]);
    });

    it.each(
      titled<[unknown, string]>([
        [undefined, 'returned no object'],
        ['token', 'returned no object'],
        [{}, '"password" is not a string'],
        [{ password: '' }, '"password" is not a string, or an empty one'],
        [{ password: 'p', username: 1 }, '"username" is not a string'],
        [{ password: 'p', expiresAt: 1 }, '"expiresAt" is not a valid Date'],
        [{ password: 'p', expiresAt: new Date('soon') }, '"expiresAt" is not a valid Date'],
      ]),
    )('of the wrong type are a failed attempt, and the error says so: %s', async (_, answer, problem) => {
      const { port } = await startTokenServer();
      const credentials = (() => Promise.resolve(answer)) as unknown as RedisCredentialsProvider;
      const { errors, until } = await boot(redisClient({ port, credentials, ...SHORT_RETRY }));
      await until('error');
      expect(errors()[0]).toBe(
        `credentials() failed: it must return { username?, password, expiresAt? }, and ${errors()[0]?.split(', and ')[1]}`,
      );
      expect(errors()[0]).toContain(problem);
    });

    it('are a failed attempt when their function throws synchronously', async () => {
      const { port } = await startTokenServer();
      const credentials: RedisCredentialsProvider = () => {
        throw new Error('no region');
      };
      const { errors, until } = await boot(redisClient({ port, credentials, ...SHORT_RETRY }));
      await until('error');
      expect(errors()[0]).toBe('credentials() failed: no region');
    });

    it('use the user name of the options if they have none', async () => {
      const { tokens, port } = await startTokenServer();
      const credentials = async () => ({ password: tokens.issued.at(-1) as string });
      for (const options of [{ port, username: 'app' }, { url: `redis://app@127.0.0.1:${port}` }]) {
        const { app, client } = await boot(redisClient({ ...options, credentials }));
        expect(await client.call('ACL', 'WHOAMI')).toBe('app');
        await app.close();
      }
    });

    it('need no user name if the password is that of the default user', async () => {
      const server = await startRedisServer({ password: 'changing' });
      onTestFinished(() => server.close());
      const { client } = await boot(
        redisClient({ port: server.port, credentials: async () => ({ password: 'changing' }) }),
      );
      expect(await client.ping()).toBe('PONG');
    });

    it('are waited for no longer once the client closes, and open no connection when they come', async () => {
      const { ask, tokens, port, connections } = await startTokenServer();
      const { asked, answer, credentials } = answerLate(tokens);
      const { app, client, events } = await boot(redisClient({ port, credentials }));
      await asked.promise;
      await expectToCloseAtOnce(app, client);
      expect(events.filter(({ type }) => type === 'error' || type === 'closeFailed')).toEqual([]);

      answer.resolve();
      await ask('PING');
      expect(client.status).toBe('end');
      expect(await connections()).toBe(0);
    });

    it('of a client that is disconnected meanwhile reject what waits, and connect() asks again', async () => {
      const { tokens, port } = await startTokenServer();
      const answers = [deferred(), deferred()];
      let count = 0;
      const credentials: RedisCredentialsProvider = async () => {
        await answers[count++]?.promise;
        return tokens.current();
      };
      const { client, errors } = await boot(redisClient({ port, credentials }, { connect: 'use' }));
      const waiting = rejection(client.ping());
      client.disconnect();
      expect((await waiting).message).toBe('Connection is closed.');
      expect(client.status).toBe('end');
      answers[0]?.resolve();

      const again = client.connect();
      answers[1]?.resolve();
      await again;
      expect(await client.ping()).toBe('PONG');
      expect(errors()).toEqual([]);
    });

    it('that cannot be renewed leave the connection as it is, with an error, until they can', async () => {
      const { tokens, port, connections } = await startTokenServer();
      let failures = 0;
      const credentials: RedisCredentialsProvider = async () => {
        if (tokens.asked === 1 && failures++ === 0) throw new Error('throttled');
        return tokens.expiring();
      };
      const { client, errors, until, events } = await boot(redisClient({ port, credentials }));
      await until('connected');
      await until('error');
      expect(await client.ping()).toBe('PONG');
      await expect.poll(() => tokens.asked, { timeout: 5_000 }).toBe(3);
      expect(errors()).toEqual(['credentials() failed: throttled']);
      expect(events.filter(({ type }) => type === 'disconnected')).toEqual([]);
      expect(await connections()).toBe(1);
    });

    it('are renewed on a connection that has subscribed, but not with RESP2, which allows no login there', async () => {
      const { ask, tokens, port } = await startTokenServer();
      const { client, errors, until } = await boot(
        redisClient({ port, credentials: tokens.expiring, protocol: version === 'ioredis 6' ? 3 : 2 }),
      );
      await until('connected');
      await client.subscribe('news');
      if (version === 'ioredis 6') {
        await expect.poll(() => tokens.asked, { timeout: 5_000 }).toBeGreaterThan(2);
      } else {
        const message = once(client, 'message');
        await ask('PUBLISH', 'news', 'hello');
        expect(await message).toEqual(['news', 'hello']);
        // It asks anew when it connects again, and subscribes again.
        await tokens.killAll();
        await until('connected', 2);
        expect(tokens.asked).toBe(2);
      }
      expect(errors()).toEqual([]);
      await expect.poll(() => ask('PUBLISH', 'news', 'again')).toBe(1);
    });

    it('are handed on to duplicates', async () => {
      const { tokens, port } = await startTokenServer();
      const { client } = await boot(redisClient({ port, credentials: tokens.current, db: 1 }));
      await client.ping();
      await tokens.issue({ only: true });
      for (const copy of [client.duplicate(), duplicateRedis(client, { db: 2 })]) {
        onTestFinished(() => copy.disconnect());
        expect(await copy.call('ACL', 'WHOAMI')).toBe('app');
        await tokens.issue({ only: true });
        const ready = once(copy, 'ready');
        await tokens.killAll();
        await ready;
        expect(await copy.ping()).toBe('PONG');
      }
    });

    it('appear in no output', async () => {
      const { tokens, port } = await startTokenServer();
      const logger = new RecordingLogger();
      const credentials: RedisCredentialsProvider = async () => {
        tokens.asked += 1;
        if (tokens.asked === 2) throw new Error(`refused ${tokens.issued[0]}`);
        return { username: 'app', password: tokens.issued.at(-1) as string };
      };
      const { app, registry, events, until } = await boot(redisClient({ port, credentials, ...SHORT_RETRY }), logger);
      await until('connected');
      const stale = tokens.issued.at(-1) as string;
      await tokens.issue({ only: true });
      tokens.issued.push(stale);
      await tokens.killAll();
      await until('error', 4);
      const health = await registry.check('redis');
      const printed = inspect([events, registry.status(), health, logger.lines], { depth: 12 });
      await app.close();
      expect(printed).toContain('WRONGPASS');
      expect(printed).toContain('refused ***');
      expect(printed).not.toContain(stale);
      expect(JSON.stringify([events, logger.lines])).not.toContain(stale);
    });
  });

  describeWithRedis(`credentials of a client of Sentinel, ${version}`, () => {
    it('are asked for the connection to the primary, before and after a failover', async () => {
      await using group = await startRedisSentinels();
      for (const sentinel of group.sentinels) {
        await sentinel.command('SENTINEL', 'SET', group.name, 'auth-user', ADMIN.name, 'auth-pass', ADMIN.password);
      }
      const tokens = new Tokens(await Promise.all([group.primary, group.replica].map(turnDefaultOff)));
      await tokens.issue();
      const { client, until, errors } = await boot(
        redisClient({ ...group.options, credentials: tokens.current, maxRetriesPerRequest: null, ...SHORT_RETRY }),
      );
      await until('connected');
      expect(await client.call('ACL', 'WHOAMI')).toBe('app');
      expect(tokens.asked).toBe(1);

      await Promise.all([until('disconnected'), group.primary.kill()]);
      await until('connected', 2);
      expect(await client.set('a', 1)).toBe('OK');
      expect(tokens.asked).toBeGreaterThan(1);
      expect(errors().filter((message) => /NOAUTH|WRONGPASS/.test(message))).toEqual([]);
    });
  });

  describeWithRedis(`credentials of a cluster client, ${version}`, () => {
    const KEYS = ['a', 'b', 'c', 'd'];

    it('are asked for each connection: to the nodes, for the slots, and for subscriptions', async () => {
      const { tokens, nodes } = await startTokenCluster();
      const { client, errors, until } = await boot(redisCluster({ nodes, credentials: tokens.current }));
      await until('connected');
      await Promise.all(KEYS.map((key) => client.set(key, 1)));
      expect(await Promise.all(client.nodes().map((node) => node.call('ACL', 'WHOAMI')))).toEqual([
        'app',
        'app',
        'app',
      ]);

      await tokens.issue({ only: true });
      const message = once(client, 'message');
      await client.subscribe('news');
      await client.publish('news', 'hello');
      expect(await message).toEqual(['news', 'hello']);

      await tokens.issue({ only: true });
      await tokens.killAll();
      await Promise.all(KEYS.map((key) => client.incr(key)));
      expect(errors().filter((text) => /NOAUTH|WRONGPASS/.test(text))).toEqual([]);
      const copy = client.duplicate();
      onTestFinished(() => copy.disconnect());
      expect(await copy.get('a')).toBe('2');
    });

    it('replace one another under load on every node, with no failed command', async () => {
      const { tokens, nodes } = await startTokenCluster();
      const { client, errors, until } = await boot(redisCluster({ nodes, credentials: tokens.expiring }));
      await until('connected');
      const load = startLoad(client);
      await expect
        .poll(
          async () => {
            const logins = await Promise.all(tokens.servers.map(loginsOf));
            return logins.every((count) => count > 3);
          },
          { timeout: 15_000 },
        )
        .toBe(true);
      const { answered, failures } = await load.stop();
      expect(failures).toEqual([]);
      expect(errors()).toEqual([]);
      expect(answered).toBeGreaterThan(100);
    });

    it('are asked for sharded subscriptions too', async () => {
      const { tokens, nodes } = await startTokenCluster();
      const { client, errors } = await boot(
        redisCluster({ nodes, credentials: tokens.current, shardedSubscribers: true }),
      );
      const message = once(client, 'smessage');
      await client.ssubscribe('news');
      await client.spublish('news', 'hello');
      expect((await message).slice(0, 2)).toEqual(['news', 'hello']);
      expect(errors()).toEqual([]);
    });

    it('may be slower than ioredis waits for the slots', async () => {
      const { tokens, nodes } = await startTokenCluster();
      const credentials: RedisCredentialsProvider = async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return tokens.current();
      };
      const { client, errors } = await boot(redisCluster({ nodes, credentials, slotsRefreshTimeout: 200 }));
      expect(await client.set('a', 1)).toBe('OK');
      expect(errors()).toEqual([]);
    });

    it('that cannot be fetched are an error event, and the cluster is tried again', async () => {
      const { tokens, nodes } = await startTokenCluster();
      let isSealed = true;
      const credentials: RedisCredentialsProvider = async () => {
        if (isSealed) throw new Error('the vault is sealed');
        return tokens.current();
      };
      const { client, errors, until } = await boot(redisCluster({ nodes, credentials }));
      await until('error', 3);
      expect(errors()).toContain('credentials() failed: the vault is sealed');
      isSealed = false;
      await until('connected');
      expect(await client.set('a', 1)).toBe('OK');
    });

    it('are waited for no longer once the client closes', async () => {
      const { tokens, nodes } = await startTokenCluster();
      const { asked, answer, credentials } = answerLate(tokens);
      const { app, client, events } = await boot(redisCluster({ nodes, credentials }));
      await asked.promise;
      await expectToCloseAtOnce(app, client);
      expect(events.filter(({ type }) => type === 'closeFailed')).toEqual([]);
      answer.resolve();
      const [list] = await Promise.all(tokens.servers.map((ask) => ask('CLIENT', 'LIST')));
      expect(list).not.toContain(' user=app ');
    });
  });
}
