import { Controller, Get, Inject, Injectable, type INestApplication, type Type } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule, type HealthIndicatorResult } from '@nestjs/terminus';
import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, expectTypeOf, it, onTestFinished } from 'vitest';
import { defineClient, type ClientsModuleOptions } from '../../src/index.js';
import { InjectRedis, redisClient } from '../../src/redis/index.js';
import { ClientsHealthIndicator, type ClientsHealthOptions } from '../../src/terminus/index.js';
import { bootApp, clientsOf, registryOf, rejection, request } from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { Journal, type FakeClient } from '../support/journal.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { HealthModule } from './health.recipe.js';

interface Answer {
  status: number;
  /** Milliseconds from the request to the answer. */
  duration: number;
  body: {
    status: string;
    details: { clients: { status: string } & Record<string, { status: string; duration?: number; error?: string }> };
  };
}

/** Asks `/health`, as a probe does. */
async function probe(app: INestApplication, path = '/health'): Promise<Answer> {
  const start = performance.now();
  const response = await request(app, path);
  const body = (await response.json()) as Answer['body'];
  return { status: response.status, body, duration: performance.now() - start };
}

function fail(): never {
  throw new Error('out of order');
}

/** An application whose `/health` asks its clients with these options. */
function bootWithHealth(
  definitions: ClientsModuleOptions['clients'],
  { ask, providers = [], logger }: { ask?: ClientsHealthOptions; providers?: Type[]; logger?: RecordingLogger } = {},
): Promise<INestApplication> {
  @Controller('health')
  class HealthController {
    constructor(
      @Inject(HealthCheckService) private readonly health: HealthCheckService,
      @Inject(ClientsHealthIndicator) private readonly clients: ClientsHealthIndicator,
    ) {}

    @Get()
    @HealthCheck()
    check() {
      return this.health.check([() => this.clients.isHealthy('clients', ask)]);
    }
  }
  return bootApp(
    {
      imports: [clientsOf(definitions), TerminusModule],
      controllers: [HealthController],
      providers: [ClientsHealthIndicator, ...providers],
    },
    { listen: true, ...(logger && { logger }) },
  );
}

describe('ClientsHealthIndicator', () => {
  it('reports clients that nothing has used as idle, and builds none', async () => {
    const journal = new Journal();
    const app = await bootWithHealth({ a: journal.client('a'), b: journal.client('b') });

    const { status, body } = await probe(app);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'ok',
      details: { clients: { status: 'up', a: { status: 'idle' }, b: { status: 'idle' } } },
    });
    expect(body.details.clients['a']).toEqual({ status: 'idle' });
    expect(journal.entries).toEqual([]);
  });

  it('reports a client that is being built as idle, without waiting for it', async () => {
    const journal = new Journal();
    const built = deferred();
    const create = (): Promise<FakeClient> => built.promise.then(() => journal.build('slow'));
    const app = await bootWithHealth({ slow: journal.client('slow', { create }) });
    const client = registryOf(app).get('slow');

    expect((await probe(app)).body.details.clients['slow']).toEqual({ status: 'idle' });
    built.resolve();
    await client;
    expect((await probe(app)).body.details.clients['slow']).toMatchObject({ status: 'up' });
  });

  it('is up while a check passes and down with the reason while it fails', async () => {
    let problem: Error | undefined;
    const check = (): void => {
      if (problem) throw problem;
    };
    const journal = new Journal();
    const app = await bootWithHealth({ a: journal.client('a', { check }), b: journal.client('b') });
    await Promise.all(['a', 'b'].map((name) => registryOf(app).get(name)));
    expect((await probe(app)).body.details.clients).toMatchObject({
      status: 'up',
      a: { status: 'up' },
      b: { status: 'up' },
    });

    problem = new Error('out of order');
    const { status, body } = await probe(app);
    expect(status).toBe(503);
    expect(body.status).toBe('error');
    expect(body.details.clients).toMatchObject({
      status: 'down',
      a: { status: 'down', error: 'out of order', duration: expect.any(Number) as number },
      b: { status: 'up' },
    });

    problem = undefined;
    expect((await probe(app)).status).toBe(200);
  });

  it('asks all clients at the same time, within one deadline', async () => {
    const journal = new Journal();
    const names = ['a', 'b', 'c', 'd'];
    const never = new Promise<void>(() => {});
    const clients = Object.fromEntries(names.map((name) => [name, journal.client(name, { check: () => never })]));
    const app = await bootWithHealth(clients, { ask: { timeout: 300 } });
    await Promise.all(names.map((name) => registryOf(app).get(name)));

    const { body, duration } = await probe(app);
    for (const name of names) {
      expect(body.details.clients[name]).toMatchObject({ status: 'down', error: 'no answer within 300 ms' });
    }
    expect(duration).toBeGreaterThan(250);
    expect(duration).toBeLessThan(1_200); // one after the other, they would take four times as long
  });

  it('asks the chosen clients only', async () => {
    const journal = new Journal();
    const asked: string[] = [];
    const client = (name: string) => journal.client(name, { check: () => void asked.push(name) });
    const app = await bootWithHealth({ a: client('a'), b: client('b') }, { ask: { clients: ['b'] } });
    await Promise.all(['a', 'b'].map((name) => registryOf(app).get(name)));

    const { body } = await probe(app);
    expect(Object.keys(body.details.clients).toSorted()).toEqual(['b', 'status']);
    expect(asked).toEqual(['b']);
  });

  it('rejects with CLIENTS_UNKNOWN, and the names that there are, for any other name', async () => {
    const app = await bootWithHealth({ a: new Journal().client('a') }, { ask: { clients: ['a', 'redsi'] } });
    const error = await rejection(app.get(ClientsHealthIndicator).isHealthy('clients', { clients: ['redsi'] }));
    expect(error).toMatchObject({ code: 'CLIENTS_UNKNOWN' });
    expect(error.message).toContain('"redsi"');
    expect(error.message).toContain('"a"');
    expect((await request(app, '/health')).status).toBe(500);
  });

  it.each(['status', '__proto__', 'constructor', 'a b'])('reports a client named $0', async (name) => {
    const journal = new Journal();
    const app = await bootWithHealth({ [name]: journal.client(name, { check: fail }) });
    expect((await probe(app)).status).toBe(200);

    await registryOf(app).get(name);
    const { status, body } = await probe(app);
    expect(status).toBe(503);
    expect(body.details.clients.status).toBe('down');
    const key = name === 'status' ? 'client:status' : name;
    expect(Object.getOwnPropertyDescriptor(body.details.clients, key)?.value).toMatchObject({ error: 'out of order' });
  });

  it('is down once the clients are closed', async () => {
    const journal = new Journal();
    const app = await bootWithHealth({ a: journal.client('a') });
    await registryOf(app).get('a');
    await registryOf(app).close();

    const { status, body } = await probe(app);
    expect(status).toBe(503);
    expect(body.details.clients['a']).toMatchObject({ status: 'down' });
    expect(body.details.clients['a']?.error).toContain('shutting down');
  });

  it('does not repeat credentials', async () => {
    const secret = 'swordfish-77';
    const client = defineClient({
      create: () => ({}),
      check: () => Promise.reject(new Error(`cannot connect to postgres://app:${secret}@db.internal/app`)),
    });
    const logger = new RecordingLogger();
    const app = await bootWithHealth({ client }, { logger });
    await registryOf(app).get('client');

    const { status, body } = await probe(app);
    expect(status).toBe(503);
    expect(body.details.clients['client']?.error).toContain('db.internal');
    expect(JSON.stringify([body, logger.lines])).not.toContain(secret);
  });

  it('has a result typed by its key', async () => {
    const app = await bootWithHealth({ a: new Journal().client('a') });
    const result = await app.get(ClientsHealthIndicator).isHealthy('clients');
    expectTypeOf(result).toEqualTypeOf<HealthIndicatorResult<'clients'>>();
    expect(result.clients.status).toBe('up');
  });
});

describeWithRedis('ClientsHealthIndicator with a real Redis', () => {
  @Injectable()
  class Cache {
    constructor(@InjectRedis() readonly redis: Redis) {}
  }
  const password = 'open-sesame-42';
  const timeout = 400;
  let server: RedisServer;

  beforeEach(async () => {
    server = await startRedisServer({ password });
    onTestFinished(() => server.close());
  });

  const boot = async (): Promise<INestApplication> => {
    const clients = { redis: redisClient(server.url), unused: redisClient(server.url) };
    const app = await bootWithHealth(clients, { providers: [Cache], ask: { timeout } });
    await app.get(Cache).redis.ping();
    return app;
  };

  it('is up, and opens no connection for a client that nothing uses', async () => {
    const app = await boot();
    const { status, body } = await probe(app);
    expect(status).toBe(200);
    expect(body.details.clients).toMatchObject({ status: 'up', redis: { status: 'up' }, unused: { status: 'idle' } });
    expect(body.details.clients['redis']?.duration).toBeLessThan(timeout);
    expect(await server.clientCount()).toBe(1);
  });

  it('is down while the server is gone, and up again when it is back', async () => {
    const app = await boot();
    await server.kill();
    const down = await probe(app);
    expect(down.status).toBe(503);
    expect(down.duration).toBeLessThan(timeout + 1_500);
    expect(down.body.details.clients['redis']).toMatchObject({ status: 'down' });
    expect(JSON.stringify(down.body)).not.toContain(password);

    await server.restart();
    await app.get(Cache).redis.ping();
    expect((await probe(app)).status).toBe(200);
  });

  it('answers within its deadline while the server is frozen, however often it is asked', async () => {
    const app = await boot();
    server.freeze();
    const answers = await Promise.all(Array.from({ length: 20 }, () => probe(app)));
    server.thaw();

    for (const { status, body, duration } of answers) {
      expect(status).toBe(503);
      expect(body.details.clients['redis']).toMatchObject({ status: 'down', error: `no answer within ${timeout} ms` });
      expect(duration).toBeLessThan(timeout + 1_500);
    }
    await app.get(Cache).redis.ping();
    expect((await probe(app)).status).toBe(200);
  });

  it('keeps an instance alive but not ready while Redis is down', async () => {
    const clients = { redis: redisClient(server.url), unused: redisClient(server.url) };
    const app = await bootApp({ imports: [clientsOf(clients), HealthModule], providers: [Cache] }, { listen: true });
    await app.get(Cache).redis.ping();
    const paths = ['/health/live', '/health/ready', '/health'];
    const ask = async () => Promise.all(paths.map(async (path) => (await probe(app, path)).status));

    expect(await ask()).toEqual([200, 200, 200]);
    await server.kill();
    expect(await ask()).toEqual([200, 503, 503]);
  });

  it('is what docs/health.md shows', async () => {
    expect(await codeBlocksOf('docs/health.md')).toContain(await asPublished('test/terminus/health.recipe.ts'));
  });
});
