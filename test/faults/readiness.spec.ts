import type { INestApplication } from '@nestjs/common';
import { Redis } from 'ioredis'; // loaded before anything is timed
import { expect, it } from 'vitest';
import type { ClientLifecycle } from '../../src/index.js';
import { redisClient, type RedisClientOptions } from '../../src/redis/index.js';
import { bootApp, clientsOf, nextEvent, registryOf, rejection } from '../support/boot-app.js';
import { describeWithRedis, freePort, startRedisServer } from '../support/redis-server.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { closedBy, openHandles } from '../support/open-handles.js';
import { milliseconds, record } from './support/record.js';
import type { Row } from './support/rows.js';

const CREATE_TIMEOUT = 600;
const DELAY = 300;
const PASSWORD = 'wrong-password-7';
/** Milliseconds that a bootstrap may take that waits for nothing. */
const AT_ONCE = 1_500;
/** An error counts as in time if it comes within this many milliseconds after its deadline. */
const DELIVERY = 1_500;

type Trouble = 'down' | 'slow' | 'silent' | 'refuses AUTH';
const ROW: Record<Trouble, Row> = {
  down: 'readyDown',
  slow: 'readySlow',
  silent: 'readySlow',
  'refuses AUTH': 'readyAuth',
};
const TROUBLES = Object.keys(ROW) as Trouble[];

/** A faulty Redis, and the options of a client for it. */
async function trouble(kind: Trouble): Promise<AsyncDisposable & { options: RedisClientOptions; accepted(): number }> {
  if (kind === 'down') {
    return { options: { port: await freePort() }, accepted: () => 0, async [Symbol.asyncDispose]() {} };
  }
  const server = await startRedisServer(kind === 'refuses AUTH' ? { password: 'right' } : {});
  const proxy = await startTcpProxy(server);
  if (kind === 'slow') proxy.delay(DELAY);
  if (kind === 'silent') proxy.freeze();
  return {
    options: { port: proxy.port, ...(kind === 'refuses AUTH' && { password: PASSWORD }) },
    accepted: () => proxy.accepted,
    async [Symbol.asyncDispose]() {
      await proxy.disconnected(); // by itself, when the application has closed
      await proxy.close();
      await server.close();
    },
  };
}

const REASON: Record<Trouble, RegExp> = {
  down: /ECONNREFUSED/,
  slow: /./,
  silent: /no answer within/,
  'refuses AUTH': /WRONGPASS|invalid username-password/,
};

describeWithRedis('a server in trouble at bootstrap', () => {
  const define = (options: RedisClientOptions, lifecycle: ClientLifecycle) =>
    clientsOf({ redis: redisClient(options, { createTimeout: CREATE_TIMEOUT, closeTimeout: 200, ...lifecycle }) });

  async function boots(
    options: RedisClientOptions,
    lifecycle: ClientLifecycle,
  ): Promise<{ app: INestApplication; duration: number }> {
    const start = performance.now();
    const app = await bootApp({ imports: [define(options, lifecycle)] });
    return { app, duration: performance.now() - start };
  }

  it.each(TROUBLES)('fails bootstrap in time, and leaves nothing open, with waitUntilReady: %s', async (kind) => {
    await using server = await trouble(kind);
    const before = openHandles();
    const slow = kind === 'slow';
    const lifecycle = { eager: true, waitUntilReady: true, createTimeout: slow ? DELAY : CREATE_TIMEOUT };
    const start = performance.now();
    const error = await rejection(bootApp({ imports: [define(server.options, lifecycle)] }));
    const duration = performance.now() - start;
    expect(error.code).toBe('CLIENTS_CREATE_TIMEOUT');
    expect(error.message).toMatch(REASON[kind]);
    expect(error.message).toContain('"redis"');
    expect(error.message).not.toContain(PASSWORD);
    // 200 ms is the closeTimeout of the client that was built in vain.
    expect(duration).toBeLessThan(lifecycle.createTimeout + 200 + DELIVERY);
    expect(
      await closedBy(
        start + 2_600,
        before.filter((name) => name !== 'Timeout'),
      ),
    ).not.toContain('TCPSocketWrap');
    record(
      ROW[kind],
      `waitUntilReady, ${kind}: ${error.code} after ${milliseconds(duration)} with a createTimeout of ${lifecycle.createTimeout} ms`,
    );
  });

  it('waits in bootstrap for a slow server, with waitUntilReady', async () => {
    await using server = await trouble('slow');
    const { app, duration } = await boots(server.options, { eager: true, waitUntilReady: true, createTimeout: 10_000 });
    expect(duration).toBeGreaterThan(DELAY);
    expect((await registryOf(app).check('redis', { timeout: 5_000 })).status).toBe('up');
    await app.close();
    record('readySlow', `waitUntilReady, slow: bootstrap waited ${milliseconds(duration)}`);
  });

  it('waits in bootstrap for a server that comes up, with waitUntilReady', async () => {
    const port = await freePort();
    const booting = boots({ port }, { eager: true, waitUntilReady: true, createTimeout: 20_000 });
    await using server = await startRedisServer({ port });
    const { app, duration } = await booting;
    expect((await registryOf(app).check('redis')).status).toBe('up');
    await app.close();
    await server.clients(0);
    record('readyDown', `waitUntilReady, up after a while: bootstrap waited ${milliseconds(duration)}`);
  });

  it.each(TROUBLES)(
    'fails the first injection, and not the application, with waitUntilReady and not eager: %s',
    async (kind) => {
      await using server = await trouble(kind);
      const createTimeout = kind === 'slow' ? DELAY : CREATE_TIMEOUT;
      const { app } = await boots(server.options, { waitUntilReady: true, createTimeout });
      const error = await rejection(registryOf(app).get('redis'));
      expect(error.code).toBe('CLIENTS_CREATE_TIMEOUT');
      expect(registryOf(app).status()[0]).toMatchObject({ state: 'idle', lastError: { message: error.message } });
      await app.close();
    },
  );

  it.each(TROUBLES)('carries on, and reports it in status and health, with eager: %s', async (kind) => {
    await using server = await trouble(kind);
    const { app, duration } = await boots(server.options, { eager: true });
    const registry = registryOf(app);
    expect(duration).toBeLessThan(AT_ONCE);
    if (kind === 'down' || kind === 'refuses AUTH') {
      if (!registry.status()[0]?.lastError) await nextEvent(registry, 'error', 'redis');
      expect(registry.status()[0]?.lastError?.message).toMatch(REASON[kind]);
    }
    expect((await registry.check('redis', { timeout: 100 })).status).toBe('down');
    const start = performance.now();
    await app.close();
    expect(performance.now() - start).toBeLessThan(200 + 2_100);
    record(ROW[kind], `eager, ${kind}: booted in ${milliseconds(duration)}, "down" in health`);
  });

  it.each(TROUBLES)("opens no connection before the first command, with connect: 'use': %s", async (kind) => {
    await using server = await trouble(kind);
    const { app, duration } = await boots(server.options, { eager: true, connect: 'use' });
    expect(duration).toBeLessThan(AT_ONCE);
    expect(server.accepted()).toBe(0);
    expect(registryOf(app).peek('redis')).toBeInstanceOf(Redis);
    const command = (registryOf(app).peek('redis') as Redis).get('a').then(
      () => 'answered',
      () => 'rejected',
    );
    if (kind === 'slow') expect(await command).toBe('answered');
    await app.close();
    expect(await command).toBe(kind === 'slow' ? 'answered' : 'rejected');
    record(ROW[kind], `connect: 'use', ${kind}: booted in ${milliseconds(duration)} without a connection`);
  });
});
