import { Global, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Redis } from 'ioredis';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import {
  ClientRegistry,
  defineClient,
  getClientToken,
  type ClientDefinition,
  type ClientDefinitions,
  type ClientsCloseFailedError,
} from '../../src/index.js';
import { InjectRedis, redisClient } from '../../src/redis/index.js';
import { bootApp, clientsOf, moduleOf, recordEvents, registryOf, rejection, turn } from '../support/boot-app.js';
import { deferred, type Deferred } from '../support/deferred.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { describeWithRedis, startRedisServer } from '../support/redis-server.js';
import type { ClosingTwiceSettings, Ending } from './apps/closing-twice.js';
import { PLATFORMS } from './apps/platform.js';
import { startApp } from './support/app-process.js';
import { milliseconds, record } from './support/record.js';

describeWithRedis('closing many clients', () => {
  it('attempts all, and names those that fail or hang', async () => {
    const budget = 2_000;
    const closeTimeout = 500;
    await using redis = await startRedisServer();
    const attempted: string[] = [];
    const failing = (name: string) =>
      defineClient({
        create: () => ({ name }),
        close: () => {
          attempted.push(name);
          return Promise.reject(new Error(`no ${name}`));
        },
        destroy: () => {},
      });
    const hanging = defineClient(
      {
        create: () => ({}),
        close: () => {
          attempted.push('hanging');
          return new Promise(() => {});
        },
        destroy: () => new Promise(() => {}),
      },
      { closeTimeout },
    );
    const failingNames = ['failing-1', 'failing-2', 'failing-3'];
    const redisNames = ['redis-1', 'redis-2', 'redis-3', 'redis-4', 'redis-5', 'redis-6'];
    const clients: ClientDefinitions = {
      ...Object.fromEntries(failingNames.map((name) => [name, failing(name)])),
      hanging,
      ...Object.fromEntries(redisNames.map((name) => [name, redisClient(redis.url)])),
    };
    const logger = new RecordingLogger();
    const app = await bootApp({ imports: [clientsOf(clients, { shutdownTimeout: budget })] }, { logger });
    onTestFinished(() => app.useLogger(false));
    const registry = registryOf(app);
    const built = await Promise.all(Object.keys(clients).map((name) => registry.get(name)));
    await Promise.all(built.slice(4).map((client) => (client as Redis).ping()));
    await redis.clients(6);
    const events = recordEvents(registry);

    const start = performance.now();
    await app.close();
    const duration = performance.now() - start;
    const error = (await rejection(registry.close())) as ClientsCloseFailedError;

    const bad = [...failingNames, 'hanging'];
    const about = (type: string) => events.filter((event) => event.type === type).map(({ client }) => client);
    expect(about('closing')).toHaveLength(10);
    expect(attempted.toSorted()).toEqual(bad.toSorted());
    expect(about('closeFailed').toSorted()).toEqual(bad.toSorted());
    expect(about('closed').toSorted()).toEqual(redisNames);
    expect(error).toMatchObject({ code: 'CLIENTS_CLOSE_FAILED' });
    expect([...error.clients].toSorted()).toEqual(bad.toSorted());
    const errorLines = logger.ownLines.filter((line) => line.startsWith('error:'));
    expect(errorLines).toHaveLength(4);
    for (const name of bad) expect(errorLines.filter((line) => line.includes(`"${name}"`))).toHaveLength(1);
    expect(duration).toBeLessThan(budget + 1_000); // 1 s for Nest's own work, on a busy machine
    await redis.clients(0);
    record(
      'closeFailures',
      `10 attempted, 4 named once each in log, event and error; shutdown of ${milliseconds(duration)} with a budget of ${milliseconds(budget)}; 6 Redis clients closed`,
    );
  });
});

it('closes dependents first and independent clients together, in 1,000 random graphs', async () => {
  const random = seeded(20_261_123);
  let clients = 0;
  let edges = 0;
  let together = 0;
  for (let graph = 0; graph < 1_000; graph += 1) {
    const size = 2 + random(11);
    const dependencies = Array.from({ length: size }, (_, index) =>
      Array.from({ length: index }, (_unused, other) => other).filter(() => random(100) < 30),
    );
    together = Math.max(together, await expectOrder(dependencies, random));
    clients += size;
    edges += dependencies.flat().length;
  }
  record(
    'graphs',
    `${clients.toLocaleString('en')} clients with ${edges.toLocaleString('en')} dependencies (injected, through a service, asked of the registry): 0 closed too early; each began to close as soon as its dependents had, up to ${together} at a time`,
  );
});

/** Builds the graph in an application and closes it step by step. Returns how many clients closed at the same time, at most. */
async function expectOrder(dependencies: readonly number[][], random: (below: number) => number): Promise<number> {
  const closing = new Map<number, Deferred<void>>();
  const services: { provide: string; inject: string[]; useFactory: () => object }[] = [];
  const define = (index: number): ClientDefinition<object> => {
    const inject: (string | typeof ClientRegistry)[] = [];
    const asked: string[] = [];
    for (const dependency of dependencies[index] ?? []) {
      const way = random(3);
      if (way === 0) inject.push(getClientToken(`client-${dependency}`));
      else if (way === 1) {
        const provide = `service-${index}-${dependency}`;
        services.push({ provide, inject: [getClientToken(`client-${dependency}`)], useFactory: () => ({}) });
        inject.push(provide);
      } else asked.push(`client-${dependency}`);
    }
    return defineClient(
      {
        inject: [ClientRegistry, ...inject],
        create: async (registry: ClientRegistry) => {
          for (const name of asked) await registry.get(name);
          return { index };
        },
        close: () => {
          const gate = deferred();
          closing.set(index, gate);
          return gate.promise;
        },
      },
      { eager: random(2) === 0 },
    );
  };
  const all = dependencies.map((_, index) => index);
  const clients = Object.fromEntries(all.toReversed().map((index) => [`client-${index}`, define(index)]));
  const servicesModule = { module: moduleOf({}, 'Services'), global: true, providers: services, exports: services };
  const app = await NestFactory.createApplicationContext(moduleOf({ imports: [clientsOf(clients), servicesModule] }), {
    logger: false,
    abortOnError: false,
  });
  const registry = app.get(ClientRegistry);
  await Promise.all(all.map((index) => registry.get(`client-${index}`)));

  const closed = new Set<number>();
  const ended = app.close();
  let most = 0;
  while (closed.size < all.length) {
    await turn();
    const due = all.filter(
      (index) =>
        !closed.has(index) && all.every((other) => closed.has(other) || !(dependencies[other] ?? []).includes(index)),
    );
    const open = [...closing.keys()].filter((index) => !closed.has(index));
    expect(open.toSorted(ascending), JSON.stringify({ dependencies, closed: [...closed] })).toEqual(due);
    most = Math.max(most, due.length);
    const next = due[random(due.length)] as number;
    closed.add(next);
    closing.get(next)?.resolve();
  }
  await ended;
  return most;
}

const ascending = (one: number, other: number): number => one - other;

/** Pseudo-random numbers, the same in every run (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

describeWithRedis('another global module', () => {
  it('uses a client in each of its shutdown hooks, whatever the order of imports', async () => {
    await using redis = await startRedisServer();
    const answers: unknown[] = [];

    @Injectable()
    class Farewell implements OnApplicationShutdown {
      constructor(
        @InjectRedis() private readonly client: Redis,
        @Inject(ClientRegistry) private readonly registry: ClientRegistry,
      ) {}

      async onModuleDestroy(): Promise<void> {
        answers.push(await this.client.incr('onModuleDestroy'));
      }

      async beforeApplicationShutdown(): Promise<void> {
        answers.push(await this.client.incr('beforeApplicationShutdown'));
      }

      async onApplicationShutdown(): Promise<void> {
        await turn();
        answers.push(await this.client.incr('onApplicationShutdown'));
        answers.push(await ((await this.registry.get('other')) as Redis).incr('other'));
      }
    }

    @Global()
    @Module({ providers: [Farewell] })
    class FarewellModule {}

    for (const before of [true, false]) {
      const ours = clientsOf({ redis: redisClient(redis.url), other: redisClient(redis.url) });
      const app = await bootApp({ imports: before ? [FarewellModule, ours] : [ours, FarewellModule] });
      await registryOf(app).get('other');
      await app.close();
    }
    expect(answers).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    await redis.clients(0);
    record('otherHooks', 'in onModuleDestroy, beforeApplicationShutdown and onApplicationShutdown, in both orders');
  });
});

describeWithRedis('an application that is told to end twice', () => {
  const ENDINGS: Ending[] = ['SIGTERM', 'SIGINT', 'app.close()', 'registry.close()'];
  const CASES = ENDINGS.flatMap((first) =>
    ENDINGS.flatMap((second) =>
      (['during', 'after'] as const)
        .filter((when) => when === 'during' || first.endsWith(')')) // a signal ends the process, so nothing follows it
        .filter(() => first !== second || first !== 'registry.close()') // which would leave the HTTP server open
        .map((when) => ({ first, second, when })),
    ),
  );

  it.each(PLATFORMS)('closes each client once, %s', async (platform) => {
    await using redis = await startRedisServer();
    for (let index = 0; index < CASES.length; index += 2) {
      await Promise.all(
        CASES.slice(index, index + 2).map(async (endings) => {
          const settings: ClosingTwiceSettings = { redis: { port: redis.port }, platform, ...endings };
          await using app = startApp('closing-twice', { settings });
          const { code, signal } = await app.exited;
          const about = JSON.stringify({ ...endings, lines: app.lines });
          const events = app.said('event').map(({ value }) => value as { type: string; client: string });
          const closed = events.filter(({ type }) => type === 'closed').map(({ client }) => client);
          expect(closed.toSorted(), about).toEqual(['a', 'b', 'redis']);
          expect(app.said('closed'), about).toHaveLength(2);
          expect(
            events.filter(({ type }) => type === 'closing'),
            about,
          ).toHaveLength(3);
          expect(app.said('crash'), about).toEqual([]);
          // The process was ended by the signal if there was one, or else by itself.
          const signals = [endings.first, endings.second].filter((ending) => ending.startsWith('SIG'));
          if (signals.length > 0) expect(signals, about).toContain(signal);
          else expect(code, about).toBe(0);
        }),
      );
    }
    await redis.clients(0);
  });

  afterAll(() =>
    record(
      'closedOnce',
      `${CASES.length} pairs of endings, ${PLATFORMS.join(' and ')}, the second during or after the first: each client closed once`,
    ),
  );
});
