import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listen } from '../../src/testing/listen.js';
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.js';
import type { Reaction, ListenFailsSettings } from './apps/listen-fails.js';
import { PLATFORMS, type Platform } from './apps/platform.js';
import { startApp, type AppProcess } from './support/app-process.js';
import { milliseconds, record } from './support/record.js';

/** Milliseconds within which a process must end by itself. */
const SOON = 1_000;

describeWithRedis('an application whose port is taken', () => {
  const occupant = createServer();
  let port: number;
  let redis: RedisServer;
  let slowest = 0;
  beforeAll(async () => {
    ({ port } = await listen(occupant));
    redis = await startRedisServer();
  });
  afterAll(async () => {
    occupant.close();
    await redis.close();
  });

  const run = (platform: Platform, reaction: Reaction, connect: 'bootstrap' | 'use' = 'bootstrap'): AppProcess =>
    startApp('listen-fails', {
      settings: { redis: { port: redis.port }, platform, port, reaction, connect } satisfies ListenFailsSettings,
    });
  const events = (app: AppProcess): unknown[] => app.said('event').map(({ value }) => value);

  it.each(PLATFORMS)('is ended by the error, and its connection with it: %s', async (platform) => {
    await using app = run(platform, 'lets it end the process');
    expect(await app.says('failed')).toBe('EADDRINUSE');
    const { code, at } = await app.exited;
    expect(code).toBe(1);
    expect(at - app.said('failed')[0]!.at).toBeLessThan(SOON);
    slowest = Math.max(slowest, at - app.said('failed')[0]!.at);
    await redis.clients(0);
  });

  it.each(PLATFORMS)('ends by itself once it is closed: %s', async (platform) => {
    await using app = run(platform, 'calls app.close()');
    expect(await app.says('failed')).toBe('EADDRINUSE');
    const { code, at } = await app.exited;
    expect(code).toBe(0);
    expect(events(app).slice(-2)).toEqual(['closing', 'closed']);
    expect(at - app.said('failed')[0]!.at).toBeLessThan(SOON);
    slowest = Math.max(slowest, at - app.said('failed')[0]!.at);
    await redis.clients(0);
  });

  it.each(PLATFORMS)('stays connected if nobody closes it, and still closes at a signal: %s', async (platform) => {
    await using app = run(platform, 'logs it, and no more');
    expect(await app.says('failed')).toBe('EADDRINUSE');
    await redis.clients(1);
    expect(await app.says('open')).toEqual(['TCPSocketWrap']);
    app.signal('SIGTERM');
    expect(await app.exited).toMatchObject({ signal: 'SIGTERM' });
    expect(events(app).slice(-2)).toEqual(['closing', 'closed']);
    await redis.clients(0);
  });

  it.each(PLATFORMS)('ends by itself if nothing has used a client yet, closed or not: %s', async (platform) => {
    await using app = run(platform, 'logs it, and no more', 'use');
    expect(await app.says('failed')).toBe('EADDRINUSE');
    const { code, at } = await app.exited;
    expect(code).toBe(0);
    expect(at - app.said('failed')[0]!.at).toBeLessThan(SOON);
    expect(events(app)).not.toContain('connected');
  });

  afterAll(() =>
    record(
      'listenFails',
      `${PLATFORMS.join(' and ')}: the last process ended ${milliseconds(slowest)} after the error or app.close(); left alone it stays connected, until SIGTERM closes it; 0 connections then`,
    ),
  );
});
