import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { MOMENTS, type BootstrapSettings, type Moment } from './apps/moments.js';
import { PLATFORMS, type Platform } from './apps/platform.js';
import { startApp, type AppProcess } from './support/app-process.js';
import { startDynamoDBEndpoint, type DynamoDBEndpoint } from './support/dynamodb-endpoint.js';
import { milliseconds, record } from './support/record.js';

/** Milliseconds within which a process must end by itself. */
const SOON = 1_000;

describeWithRedis('a bootstrap that comes to nothing', () => {
  let redis: RedisServer;
  let endpoint: DynamoDBEndpoint;
  beforeAll(async () => {
    redis = await startRedisServer();
    endpoint = await startDynamoDBEndpoint();
  });
  afterAll(async () => {
    await redis.close();
    await endpoint[Symbol.asyncDispose]();
  });

  const run = (settings: Pick<BootstrapSettings, 'how' | 'moment'> & { platform?: Platform }): AppProcess =>
    startApp('bootstrap', {
      settings: {
        redis: { port: redis.port },
        dynamodb: endpoint.clientConfig,
        platform: 'Express',
        ...settings,
      } satisfies BootstrapSettings,
    });

  /** Milliseconds from the failure to the end of the process. Also asserts that it has left nothing behind. */
  async function ended(app: AppProcess): Promise<number> {
    await app.says('reached');
    const { at } = await app.exited;
    const [reached] = app.said('reached');
    expect(app.said('crash')).toEqual([]);
    await redis.clients(0);
    await endpoint.proxy.disconnected();
    return at - reached!.at;
  }

  async function connectionsMade(): Promise<number> {
    const stats = await redis.command('INFO', 'stats');
    return Number(/total_connections_received:(\d+)/.exec(stats)?.[1]);
  }

  const slowest = { fails: 0, compiles: 0, signal: 0 };

  // All of these come before the library opens connections, which is after the last hook of bootstrap.
  const FAILURES = MOMENTS.slice(
    MOMENTS.indexOf('while a client is created'),
    MOMENTS.indexOf('when initialisation ends, connecting'),
  ).filter((moment) => !moment.startsWith('when the '));

  it.each(FAILURES)('lets the process end by itself when it fails %s', async (moment) => {
    const connections = await connectionsMade();
    const accepted = endpoint.proxy.accepted;
    await using app = run({ how: 'fails', moment });
    const duration = await ended(app);
    expect(await app.exited).toMatchObject({ code: 0 });
    expect(app.said('failed')).toHaveLength(1);
    expect(duration).toBeLessThan(SOON);
    expect(endpoint.proxy.accepted).toBe(accepted);
    // INFO, before and after, and CLIENT LIST until there is none are connections of this test.
    expect(await connectionsMade()).toBe(connections + 2);
    slowest.fails = Math.max(slowest.fails, duration);
  });

  it.each(['compiles', 'compiles and builds', 'compiles and creates an application'] as const)(
    'lets the process end by itself when a testing module %s, and is never closed',
    async (how) => {
      await using app = run({ how });
      const duration = await ended(app);
      expect(await app.exited).toMatchObject({ code: 0 });
      expect(app.said('failed')).toEqual([]);
      expect(duration).toBeLessThan(SOON);
      slowest.compiles = Math.max(slowest.compiles, duration);
    },
  );

  const SIGNALS = PLATFORMS.flatMap((platform) => MOMENTS.map((moment) => [moment, platform] as const));

  it.each<readonly [Moment, Platform]>(SIGNALS)('ends the process at SIGTERM %s, %s', async (moment, platform) => {
    await using app = run({ how: 'gets a signal', platform, moment });
    const duration = await ended(app);
    expect(await app.exited).toMatchObject({ signal: 'SIGTERM' });
    expect(duration).toBeLessThan(SOON);
    slowest.signal = Math.max(slowest.signal, duration);
  });

  afterAll(() => {
    const last = (ms: number): string => `the last process ended after ${milliseconds(ms)}; 0 connections`;
    record('bootstrapFails', `${FAILURES.length} ways to fail: ${last(slowest.fails)}, none ever opened`);
    record('neverClosed', `3 ways to compile: ${last(slowest.compiles)}`);
    record('bootstrapSignal', `${MOMENTS.length} moments, ${PLATFORMS.join(' and ')}: ${last(slowest.signal)}`);
  });
});
