import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Controller, Get, Global, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { InjectClient, defineClient, getClientToken, type ClientDriver } from '../src/index.js';
import { dynamoDBClient } from '../src/dynamodb/index.js';
import { InjectRedis, redisClient } from '../src/redis/index.js';
import { bootApp, clientsOf, moduleOf, nextEvent, recordEvents, registryOf, rejection } from './support/boot-app.js';
import { deferred } from './support/deferred.js';
import { RecordingLogger } from './support/recording-logger.js';
import { describeWithRedis, startRedisServer, type RedisServer } from './support/redis-server.js';
import { runInNode } from './support/run-in-node.js';

@Injectable()
class Service {
  constructor(@InjectRedis() readonly redis: Redis) {}
}

@Controller()
class Handlers {
  constructor(@InjectRedis() readonly redis: Redis) {}

  @Get('slow')
  async slow(): Promise<string> {
    await this.redis.incr('requests');
    handling.resolve();
    await delay(100); // what a handler does between two commands
    return String(await this.redis.incr('requests'));
  }
}

let handling = deferred();

/** The promises of the design, each under its own name, against a real redis-server. */
describeWithRedis('the promises', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
    return () => server.close();
  });
  afterAll(() => server.clients(0)); // none of these tests has left a connection behind

  const redis = (lifecycle = {}) => clientsOf({ redis: redisClient(server.url, lifecycle) });

  it('1. importing the package loads no SDK; evaluating forRoot() loads no SDK, opens no socket, starts no timer', async () => {
    const { output, errors, code } = await runInNode(`
      import 'reflect-metadata';
      import { createRequire } from 'node:module';
      import net from 'node:net';
      let sockets = 0;
      const { connect } = net.Socket.prototype;
      net.Socket.prototype.connect = function (...args) { sockets += 1; return connect.apply(this, args); };
      const { ClientsModule } = await import('./src/index.js');
      const { redisClient } = await import('./src/redis/index.js');
      const { dynamoDBClient } = await import('./src/dynamodb/index.js');
      ClientsModule.forRoot({ clients: { redis: redisClient('${server.url}'), dynamodb: dynamoDBClient({}) } });
      await new Promise((resolve) => setImmediate(resolve));
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      console.log(JSON.stringify({
        sdks: loaded.filter((file) => /node_modules.(ioredis|@aws-sdk|@smithy)/.test(file)),
        modules: loaded.length > 0,
        resources: process.getActiveResourcesInfo().filter((name) => /Timeout|TCP|TLS/.test(name)),
        sockets,
      }));
    `);
    expect(errors).toBe('');
    expect(JSON.parse(output)).toEqual({ sdks: [], modules: true, resources: [], sockets: 0 });
    expect(code).toBe(0);
  });

  it('2. a client that nobody injects is never built: not at bootstrap, not by a health check, not at shutdown', async () => {
    const app = await bootApp({ imports: [redis()] });
    const registry = registryOf(app);
    const events = recordEvents(registry);
    expect(await registry.check('redis')).toMatchObject({ status: 'idle' });
    await app.close();
    expect(events).toEqual([]);
    expect(registry.status()).toMatchObject([{ state: 'closed', consumers: [] }]);
    expect(await server.clientCount()).toBe(0);
  });

  it('3. the first injection builds it, once: 1,000 concurrent first injections make 1 client with 1 identity', async () => {
    const app = await bootApp({ imports: [redis()] });
    const events = recordEvents(registryOf(app));
    const token = getClientToken('redis');
    const injected = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => (index % 2 ? app.resolve(token) : registryOf(app).get('redis'))),
    );
    expect(new Set(injected).size).toBe(1);
    expect(events.filter(({ type }) => type === 'creating')).toHaveLength(1);
  });

  it('4. what is injected is the SDK’s own object: no proxy, no wrapper, instanceof holds', async () => {
    const app = await bootApp({ imports: [redis()], providers: [Service] });
    const client = app.get(Service).redis;
    expect(client).toBeInstanceOf(Redis);
    expect(Object.getPrototypeOf(client)).toBe(Redis.prototype);
    expect(inspect(client, { showProxy: true, depth: 0 })).not.toMatch(/^Proxy/);
    expect(Object.hasOwn(client, 'get')).toBe(false); // nothing is laid over its methods
    expect(await client.ping()).toBe('PONG');
  });

  it('5. a failed build is not cached; its waiters get the same error, and nothing of it stays open; a late one is closed', async () => {
    let attempt = 0;
    const release = deferred();
    const opened: Redis[] = [];
    const driver: ClientDriver<Redis> = {
      async create() {
        attempt += 1;
        if (attempt === 1) throw new Error('no luck');
        if (attempt === 2) await release.promise;
        const client = new Redis(server.url);
        opened.push(client);
        return client;
      },
      close: (client) => client.quit(),
    };
    const app = await bootApp({ imports: [clientsOf({ flaky: defineClient(driver, { createTimeout: 100 }) })] });
    const registry = registryOf(app);
    const [first, second] = await Promise.all([rejection(registry.get('flaky')), rejection(registry.get('flaky'))]);
    expect(first).toBe(second);
    expect(first).toMatchObject({ code: 'CLIENTS_CREATE_FAILED', cause: { message: 'no luck' } });

    expect(await rejection(registry.get('flaky'))).toMatchObject({ code: 'CLIENTS_CREATE_TIMEOUT' });
    release.resolve();
    const client = (await registry.get('flaky')) as Redis;
    expect(client).toBe(opened[1]);
    await new Promise((resolve) => opened[0]?.once('end', resolve));
    await client.ping();
    expect(await server.clientCount()).toBe(1);
  });

  it('6. building does no I/O: sockets open after bootstrap has succeeded, or with the first command', async () => {
    const atInit = deferred<number>();
    const probe = {
      provide: 'PROBE',
      inject: [getClientToken('redis')],
      useFactory: (client: Redis) => ({
        async onApplicationBootstrap() {
          expect(client.status).toBe('wait');
          atInit.resolve(await server.clientCount());
        },
      }),
    };
    const app = await bootApp({ imports: [redis()], providers: [Service, probe] });
    expect(await atInit.promise).toBe(0);
    await nextEvent(registryOf(app), 'connected', 'redis');
    expect(await server.clientCount()).toBe(1);
    await app.close();

    const compiled = await Test.createTestingModule({ imports: [redis()], providers: [Service] }).compile();
    expect(compiled.get(Service).redis.status).toBe('wait');

    const failing = { provide: 'FAILING', useValue: { onApplicationBootstrap: () => Promise.reject(new Error('no')) } };
    await rejection(bootApp({ imports: [redis()], providers: [Service, failing] }));
    expect(await server.clientCount()).toBe(0);
    expect(await compiled.get(Service).redis.ping()).toBe('PONG');
    await compiled.close();
  });

  it('7. clients close in onApplicationShutdown: after requests in flight and every other module’s hook, dependents first', async () => {
    handling = deferred();
    const order: string[] = [];
    @Injectable()
    class Farewell implements OnApplicationShutdown {
      constructor(@InjectRedis() private readonly client: Redis) {}

      async onApplicationShutdown(): Promise<void> {
        order.push(`farewell ${await this.client.ping()}`);
      }
    }
    @Global()
    @Module({ providers: [Farewell] })
    class GlobalNeighbour {}

    const dependent = defineClient({
      inject: [getClientToken('redis')],
      create: (client: Redis) => ({ client }),
      close: async ({ client }) => void order.push(`close dependent ${await client.ping()}`),
    });
    const clients = clientsOf({ redis: redisClient(server.url), dependent });
    const app = await bootApp(
      {
        imports: [GlobalNeighbour, clients],
        controllers: [Handlers],
        providers: [
          { provide: 'USES', inject: [getClientToken('dependent')], useFactory: (used: unknown) => ({ used }) },
        ],
      },
      { listen: true },
    );
    app.get(Handlers).redis.once('end', () => order.push('redis ended'));
    await app.get(Handlers).redis.set('requests', 0);
    const answer = fetch(`${await app.getUrl()}/slow`, { headers: { connection: 'close' } });
    await handling.promise;
    await app.close();
    expect(await (await answer).text()).toBe('2');
    expect(order).toEqual(['farewell PONG', 'close dependent PONG', 'redis ended']);
  });

  it('8. each close has a deadline, then force; one that fails or hangs stops no other; all are closed once', async () => {
    const frozen = await startRedisServer();
    onTestFinished(() => frozen.close());
    const closed: string[] = [];
    const failing = defineClient({
      create: () => ({}),
      close: () => {
        closed.push('failing');
        throw new Error('cannot');
      },
    });
    const app = await bootApp({
      imports: [
        clientsOf({ frozen: redisClient(frozen.url, { closeTimeout: 300 }), redis: redisClient(server.url), failing }),
      ],
      providers: [
        Service,
        { provide: 'OTHERS', inject: [getClientToken('frozen'), getClientToken('failing')], useFactory: () => null },
      ],
    });
    const registry = registryOf(app);
    const events = recordEvents(registry);
    const stuck = (await registry.get('frozen')) as Redis;
    await stuck.ping();
    frozen.freeze();
    const lost = rejection(stuck.get('key'));
    const closing = registry.close();
    await Promise.all([app.close(), app.close()]);
    const error = await rejection(closing);
    expect(error).toMatchObject({ code: 'CLIENTS_CLOSE_FAILED', clients: ['frozen', 'failing'] });
    expect(await lost).toBeInstanceOf(Error);
    expect(stuck.status).toBe('end');
    expect(app.get(Service).redis.status).toBe('end');
    expect(closed).toEqual(['failing']);
    const outcomes = events.filter(({ type }) => type === 'closed' || type === 'closeFailed');
    expect(outcomes.map(({ type, client }) => `${client} ${type}`).toSorted()).toEqual([
      'failing closeFailed',
      'frozen closeFailed',
      'redis closed',
    ]);
  });

  it('9. after shutdown has begun nothing is built: a named error, at once', async () => {
    const release = deferred();
    const slow = defineClient({ create: () => ({}), close: () => release.promise }, { eager: true });
    const app = await bootApp({ imports: [clientsOf({ slow, redis: redisClient(server.url) })] });
    const registry = registryOf(app);
    const closing = nextEvent(registry, 'closing', 'slow');
    const closed = app.close();
    expect(await rejection(registry.get('redis'))).toMatchObject({ code: 'CLIENTS_CLOSED', client: 'redis' });
    await closing;
    expect(await rejection(registry.get('redis'))).toMatchObject({ code: 'CLIENTS_CLOSED', client: 'redis' });
    expect(await rejection(app.resolve(getClientToken('redis')))).toMatchObject({ code: 'CLIENTS_CLOSED' });
    release.resolve();
    await closed;
    expect(await rejection(registry.get('redis'))).toMatchObject({ code: 'CLIENTS_CLOSED' });
    expect(registry.status().map(({ state }) => state)).toEqual(['closed', 'closed']);
  });

  it('10. background errors of a client never crash the process and never flood the log', async () => {
    const dying = await startRedisServer();
    onTestFinished(() => dying.close());
    const logger = new RecordingLogger();
    const clients = clientsOf({ redis: redisClient({ url: dying.url, retryStrategy: () => 5 }) });
    const app = await bootApp({ imports: [clients], providers: [Service] }, { logger });
    onTestFinished(() => app.useLogger(false));
    const registry = registryOf(app);
    await app.get(Service).redis.ping();
    const errors = deferred();
    let count = 0;
    registry.events$.subscribe(({ type }) => {
      if (type === 'error' && ++count === 20) errors.resolve();
    });
    await dying.kill();
    await errors.promise;
    expect(logger.ownLines.filter((line) => line.includes('reports'))).toHaveLength(1);
    expect(registry.status()[0]?.lastError?.message).toMatch(/ECONNREFUSED|closed/i);
  });

  it('11. no credential reaches a log line, an error, an event, a status or a health answer', async () => {
    const secret = 'canary-of-the-promises';
    const logger = new RecordingLogger();
    const url = server.url.replace('redis://', `redis://canary-user:${secret}@`);
    const dynamodb = dynamoDBClient({
      region: 'local',
      endpoint: 'http://127.0.0.1:1',
      maxAttempts: 1,
      credentials: { accessKeyId: 'canary-key-id', secretAccessKey: secret },
    });
    const failing = defineClient({
      create: () => {
        throw Object.assign(new Error(`cannot log in to ${url}`), { options: { password: secret } });
      },
    });
    const app = await bootApp({ imports: [clientsOf({ redis: redisClient(url), dynamodb, failing })] }, { logger });
    onTestFinished(() => app.useLogger(false));
    const registry = registryOf(app);
    const events = recordEvents(registry);
    const troubled = nextEvent(registry, 'error', 'redis');
    await registry.get('redis');
    await registry.get('dynamodb');
    const thrown = await rejection(registry.get('failing'));
    await troubled; // the server refuses this user
    const seen: unknown[] = [thrown, thrown.stack, thrown.cause, await registry.check('redis')];
    seen.push(
      await registry.check('dynamodb'),
      registry.status(),
      await registry.close().catch((error: unknown) => error),
    );
    const text = [...seen, events, logger.lines]
      .map((item) => inspect(item, { depth: 10 }) + JSON.stringify(item))
      .join();
    expect(text).toContain('***');
    expect(text).not.toContain('canary-of');
    expect(text).not.toContain('canary-user');
    expect(text).not.toContain('canary-key');
  });

  it('one registry serves any number of forRoot calls', async () => {
    @Injectable()
    class Feature {
      constructor(@InjectClient('other') readonly other: object) {}
    }
    const feature = moduleOf({
      imports: [clientsOf({ other: defineClient({ create: () => ({}) }) })],
      providers: [Feature],
    });
    const app = await bootApp({ imports: [feature, redis()], providers: [Service] });
    expect(
      registryOf(app)
        .status()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['other', 'redis']);
  });
});
