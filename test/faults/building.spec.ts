import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { LazyModuleLoader, ModuleRef } from '@nestjs/core';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { defineClient, getClientToken, InjectClient } from '../../src/index.js';
import { redisClient } from '../../src/redis/index.js';
import { bootApp, clientsOf, nextEvent, recordEvents, registryOf, rejection } from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';
import { describeWithRedis, startRedisServer } from '../support/redis-server.js';
import { milliseconds, record } from './support/record.js';

describeWithRedis('a create that goes wrong', () => {
  it('is tried again by the next injection when it failed, and leaves nothing of the first attempt', async () => {
    await using redis = await startRedisServer();
    let attempts = 0;
    const main = redisClient({
      useFactory: () => {
        attempts += 1;
        if (attempts === 1) throw new Error('no settings yet');
        return { port: redis.port };
      },
    });
    const app = await bootApp({ imports: [clientsOf({ main })] });
    const registry = registryOf(app);
    const waiters = await Promise.all(Array.from({ length: 100 }, () => rejection(registry.get('main'))));
    expect(new Set(waiters).size).toBe(1);
    expect(waiters[0]).toMatchObject({ code: 'CLIENTS_CREATE_FAILED', cause: { message: 'no settings yet' } });
    expect(attempts).toBe(1);
    const clients = await Promise.all(Array.from({ length: 100 }, () => registry.get('main')));
    expect(new Set(clients).size).toBe(1);
    expect(await (clients[0] as Redis).ping()).toBe('PONG');
    expect(attempts).toBe(2);
    await app.close();
    await redis.clients(0);
    record('creation', 'failed once for 100 waiters, then 1 client for 100 more');
  });

  it('is closed when it ends after its deadline, and does not get in the way of the next', async () => {
    await using redis = await startRedisServer();
    const release = deferred();
    const made: Redis[] = [];
    const main = defineClient<Redis>(
      {
        create: async () => {
          const client = new Redis({ port: redis.port, lazyConnect: true });
          made.push(client);
          if (made.length > 1) return client;
          await client.connect(); // a create() should do no I/O; this one does, and hangs
          await release.promise;
          return client;
        },
        close: async (client) => void (await client.quit()),
      },
      { createTimeout: 200 },
    );
    const app = await bootApp({ imports: [clientsOf({ main })] });
    const registry = registryOf(app);
    const error = await rejection(registry.get('main'));
    expect(error.code).toBe('CLIENTS_CREATE_TIMEOUT');
    expect(await redis.clientCount()).toBe(1);

    const second = (await registry.get('main')) as Redis;
    expect(second).toBe(made[1]);
    await second.ping();
    const ended = new Promise((resolve) => made[0]?.once('end', resolve));
    release.resolve();
    await ended;
    await redis.clients(1);
    expect(await second.ping()).toBe('PONG');
    await app.close();
    await redis.clients(0);
    record(
      'creation',
      'ended after its deadline: refused at the deadline, closed when it ended; the next one lived on',
    );
  });

  it('is named with its path when clients are built on each other', async () => {
    const ask = (name: string) =>
      defineClient<object>({
        inject: [ModuleRef],
        create: async (moduleRef: ModuleRef) => ({ on: await moduleRef.resolve<unknown>(getClientToken(name)) }),
      });
    const injecting = (name: string) =>
      defineClient<object>({ inject: [getClientToken(name)], create: (on: object) => ({ on }) });
    const paths = [];
    for (const on of [ask, injecting]) {
      const clients = { a: on('b'), b: ask('c'), c: ask('a'), itself: ask('itself') };
      const registry = registryOf(await bootApp({ imports: [clientsOf(clients)] }));
      for (const name of ['a', 'itself'] as const) {
        const start = performance.now();
        let error: Error | undefined = await rejection(registry.get(name));
        expect(performance.now() - start).toBeLessThan(1_000); // not its createTimeout
        expect(error).toMatchObject({ code: 'CLIENTS_CREATE_FAILED' });
        const messages = [];
        for (; error; error = error.cause as Error | undefined) messages.push(error.message);
        expect(messages.join('\n')).toContain(name === 'a' ? '"c" -> "a" -> "b" -> "c"' : '"itself" -> "itself"');
        paths.push(name);
      }
    }
    record(
      'creation',
      'recursion of 3 clients and of 1 with itself: `CLIENTS_CREATE_FAILED` with the path, e.g. "c" -> "a" -> "b" -> "c"',
    );
  });
});

/** Milliseconds within which the error must come. */
const AT_ONCE = 1;

describeWithRedis('a client asked for too late', () => {
  it('is refused within 1 ms and not built, during and after shutdown', async () => {
    await using redis = await startRedisServer();
    const closing = deferred();
    const release = deferred();
    const clients = {
      used: redisClient(redis.url),
      unused: redisClient(redis.url),
      custom: defineClient({ create: () => ({}) }),
      slow: defineClient(
        {
          create: () => ({}),
          close: () => {
            closing.resolve();
            return release.promise;
          },
        },
        { eager: true },
      ),
    };
    const app = await bootApp({ imports: [clientsOf(clients)] });
    const registry = registryOf(app);
    await ((await registry.get('used')) as Redis).ping();
    const events = recordEvents(registry);
    const ended = app.close();
    await closing.promise;

    let slowest = 0;
    let asked = 0;
    for (const phase of ['during', 'after'] as const) {
      for (const name of ['used', 'unused', 'custom']) {
        for (const [way, ask] of Object.entries(waysToAsk(app, name))) {
          const { duration, error } = await fastest(ask);
          const about = `${phase} shutdown, ${name}, by ${way}`;
          expect(error, about).toMatchObject({ code: 'CLIENTS_CLOSED' });
          expect(duration, about).toBeLessThan(AT_ONCE);
          slowest = Math.max(slowest, duration);
          asked += 1;
        }
      }
      if (phase === 'during') {
        release.resolve();
        await ended;
      }
    }
    expect(events.filter(({ type }) => type === 'creating' || type === 'created')).toEqual([]);
    await redis.clients(0);
    record(
      'refusal',
      `${asked} combinations of client, moment and way (get, resolve, injection, property): the slowest in ${milliseconds(slowest)}`,
    );
  });

  it('is refused to a module that is loaded during shutdown', async () => {
    const closing = deferred();
    const release = deferred();
    const slow = defineClient(
      {
        create: () => ({}),
        close: () => {
          closing.resolve();
          return release.promise;
        },
      },
      { eager: true },
    );
    let built = 0;
    const late = defineClient({ create: () => ({ built: (built += 1) }) });
    const app = await bootApp({ imports: [clientsOf({ slow, late })] });

    @Injectable()
    class Late {
      constructor(@InjectClient('late') readonly client: object) {}
    }
    @Module({ providers: [Late] })
    class LateModule {}

    const ended = app.close();
    await closing.promise;
    const error = await rejection(app.get(LazyModuleLoader).load(() => LateModule));
    expect(error.code).toBe('CLIENTS_CLOSED');
    expect(built).toBe(0);
    release.resolve();
    await ended;
  });

  it('refuses whoever waits for it when shutdown begins', async () => {
    let built = 0;
    const main = defineClient({
      create: async () => {
        await delay(300);
        return { built: (built += 1) };
      },
    });
    const app = await bootApp({ imports: [clientsOf({ main })] });
    const registry = registryOf(app);
    const creating = nextEvent(registry, 'creating');
    const waiting = rejection(registry.get('main'));
    await creating;
    const ended = app.close();
    expect(await waiting).toMatchObject({ code: 'CLIENTS_CLOSED' });
    expect(built).toBe(0);
    await ended;
    expect(built).toBe(1); // it was waited for, and closed
  });
});

function waysToAsk(app: INestApplicationContext, name: string): Record<string, () => Promise<unknown>> {
  const token = getClientToken(name);
  const moduleRef = app.get(ModuleRef);
  const withParameter: Type = class WithParameter {
    constructor(readonly client: unknown) {}
  };
  Inject(token)(withParameter, undefined, 0);
  const withProperty: Type = class WithProperty {
    client: unknown;
  };
  Inject(token)(withProperty.prototype as object, 'client');
  return {
    'registry.get': () => registryOf(app).get(name),
    'app.resolve': () => app.resolve(token),
    injection: () => moduleRef.create(withParameter),
    'property injection': () => moduleRef.create(withProperty),
  };
}

/** The fastest of several attempts, because the operating system may interrupt the process during any of them. */
async function fastest(ask: () => Promise<unknown>): Promise<{ duration: number; error: Error }> {
  let duration = Infinity;
  let error: Error | undefined;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const start = performance.now();
    const asked = ask().then(
      () => ({ at: performance.now(), error: undefined }),
      (reason: Error) => ({ at: performance.now(), error: reason }),
    );
    const outcome = await asked;
    if (!outcome.error) throw new Error('It was not refused');
    duration = Math.min(duration, outcome.at - start);
    error = outcome.error;
  }
  return { duration, error: error as Error };
}
