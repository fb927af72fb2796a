import { Injectable, type INestApplication } from '@nestjs/common';
import { Redis } from 'ioredis';
import { afterAll, expect, it } from 'vitest';
import { defineClient, InjectClient, type ClientDefinition } from '../../src/index.js';
import { redisClient } from '../../src/redis/index.js';
import { bootApp, clientsOf, registryOf, rejection } from '../support/boot-app.js';
import { describeWithRedis, startRedisServer } from '../support/redis-server.js';
import { record } from './support/record.js';

@Injectable()
class Consumer {
  constructor(@InjectClient('shared') readonly client: Redis) {}
}

const FAILING = { provide: 'FAILING', useValue: { onModuleInit: () => Promise.reject(new Error('no boot')) } };

const boot = (shared: ClientDefinition<Redis>, ...more: object[]): Promise<INestApplication> =>
  bootApp({ imports: [clientsOf({ shared })], providers: [Consumer, ...(more as [])] });
const clientIn = (app: INestApplication): Redis => app.get(Consumer).client;

const ascending = (one: number, other: number): number => one - other;
const ORDERS = [
  [0, 1],
  [1, 0],
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];
/** Before which of the applications another one fails to boot, if any does. */
const CASES = ORDERS.flatMap((order) =>
  [undefined, ...order.toSorted(ascending), order.length].map((failing) => [order.join(', '), failing, order] as const),
);

describeWithRedis("scope: 'process'", () => {
  it.each(CASES)(
    'closes with the last of the applications: order %s, one failing before %s',
    async (_, failing, order) => {
      await using redis = await startRedisServer();
      const shared = redisClient(redis.url, { scope: 'process' });
      const apps: INestApplication[] = [];
      const fail = async (): Promise<void> => {
        expect((await rejection(boot(shared, FAILING))).message).toBe('no boot');
      };
      for (const index of order.toSorted(ascending)) {
        if (index === failing) await fail();
        apps.push(await boot(shared));
      }
      if (failing === order.length) await fail();
      const [first] = apps.map(clientIn);
      expect(new Set(apps.map(clientIn))).toEqual(new Set([first]));
      expect(await first?.incr('a')).toBe(1);
      await redis.clients(1);

      for (const index of order.slice(0, -1)) {
        await apps[index]?.close();
        expect(first?.status).toBe('ready');
        expect((await rejection(registryOf(apps[index]!).get('shared'))).code).toBe('CLIENTS_CLOSED');
      }
      expect(await clientIn(apps[order.at(-1)!]!).incr('a')).toBe(2);
      await apps[order.at(-1)!]!.close();
      expect(first?.status).toBe('end');
      await redis.clients(0);

      const app = await boot(shared);
      expect(clientIn(app)).not.toBe(first);
      expect(await clientIn(app).incr('a')).toBe(3);
      await app.close();
      await redis.clients(0);
    },
  );

  it('is one client for applications that boot and close at the same time', async () => {
    await using redis = await startRedisServer();
    const shared = redisClient(redis.url, { scope: 'process' });
    const booted = await Promise.allSettled([boot(shared), boot(shared, FAILING), boot(shared)]);
    const apps = booted.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(apps).toHaveLength(2);
    expect(new Set(apps.map(clientIn)).size).toBe(1);
    await Promise.all(apps.map((app) => clientIn(app).ping()));
    await redis.clients(1);
    await Promise.all(apps.map((app) => app.close()));
    await redis.clients(0);
  });

  afterAll(() => {
    record(
      'processScope',
      `${CASES.length} combinations of order and failure: one client and one connection each time, closed with the last, a new one afterwards`,
    );
  });
});

describeWithRedis('owned: false', () => {
  it('is never closed by this module, however the application ends', async () => {
    await using redis = await startRedisServer();
    const mine = new Redis({ port: redis.port, lazyConnect: true });
    const owned = { owned: false };
    const custom = defineClient<Redis>(
      { create: () => mine, close: (client) => client.disconnect(), destroy: (client) => client.disconnect() },
      owned,
    );
    const app = await bootApp({ imports: [clientsOf({ shared: custom })], providers: [Consumer] });
    await mine.ping();
    await app.close();
    expect(await mine.ping()).toBe('PONG');

    await rejection(bootApp({ imports: [clientsOf({ shared: custom })], providers: [Consumer, FAILING] }));
    const third = await bootApp({ imports: [clientsOf({ shared: custom })], providers: [Consumer] });
    await registryOf(third).close();
    expect(await mine.ping()).toBe('PONG');

    const builtHere = redisClient(redis.url, owned);
    const fourth = await bootApp({ imports: [clientsOf({ shared: builtHere })], providers: [Consumer] });
    const client = clientIn(fourth);
    await client.ping();
    await fourth.close();
    expect(await client.ping()).toBe('PONG');
    await redis.clients(2);
    mine.disconnect();
    client.disconnect();
    await redis.clients(0);
    record('owned', 'still answers after app.close(), a failed bootstrap and registry.close()');
  });
});
