import { afterEach, beforeEach, expect, it } from 'vitest';
import { redisClient } from '../../src/redis/index.js';
import { describeWithRedis, startRedisSentinels, type RedisSentinels } from '../support/redis-server.js';
import { drive, failOnConsoleError } from './drive.js';

const CLOSE_TIMEOUT = 400;
const AT_ONCE = 1_500;

describeWithRedis('a client of Sentinel', () => {
  let group: RedisSentinels;
  failOnConsoleError();
  beforeEach(async () => {
    group = await startRedisSentinels();
  });
  afterEach(async () => {
    await group.close();
  });

  const noConnections = () => Promise.all([group.primary, ...group.sentinels].map((server) => server.clients(0)));

  it.each([false, true])(
    'answers what is pending and leaves no connection, with failoverDetector: $0',
    async (detector) => {
      await using driven = await drive(redisClient({ ...group.options, failoverDetector: detector }));
      const subscribed = detector ? driven.event('failoverSubscribed') : undefined;
      await driven.blueprint.driver.connect?.(driven.client);
      await subscribed;
      if (detector) for (const sentinel of group.sentinels) await sentinel.clients(1);
      driven.watch(...Array.from({ length: 1_000 }, (_, index) => driven.client.set(`key:${index}`, index)));
      const closing = await driven.close();

      expect(closing).toMatchObject({ forced: false, status: 'end', commands: { answered: 1_000, rejected: 0 } });
      await noConnections();
    },
  );

  it('ends the connections of the failover detector after the user has quit', async () => {
    await using driven = await drive(redisClient({ ...group.options, failoverDetector: true }));
    const subscribed = driven.event('failoverSubscribed');
    await driven.client.ping();
    await subscribed;
    await Promise.all([driven.event('end'), driven.client.quit()]);
    const closing = await driven.close();

    expect(closing).toMatchObject({ forced: false, status: 'end' });
    expect(closing.left).not.toContain('Timeout');
    await noConnections();
  });

  it('closes without a socket if it was never connected', async () => {
    await using driven = await drive(redisClient(group.options));
    expect(await driven.close()).toMatchObject({ forced: false, status: 'end', left: [] });
  });

  it.each([false, true])('closes at once with everything down, with failoverDetector: $0', async (failoverDetector) => {
    await using driven = await drive(redisClient({ ...group.options, failoverDetector }));
    const subscribed = failoverDetector ? driven.event('failoverSubscribed') : undefined;
    await driven.client.ping();
    await subscribed;
    const unreachable = driven.event('error');
    await group.close();
    await unreachable;
    const closing = await driven.close();

    expect(closing).toMatchObject({ forced: false, status: 'end' });
    expect(closing.duration).toBeLessThan(AT_ONCE);
    expect(driven.errors.at(-1)?.message).toMatch('All sentinels are unreachable');
  });

  it.each([undefined, 0, 1, null])(
    'rejects what is queued by the deadline with everything down, with maxRetriesPerRequest: $0',
    async (maxRetriesPerRequest) => {
      const retries = maxRetriesPerRequest !== undefined && { maxRetriesPerRequest };
      await using driven = await drive(redisClient({ ...group.options, ...retries }));
      await driven.client.ping();
      await group.close();
      await driven.event('error');
      driven.watch(driven.client.set('a', 1));
      const closing = await driven.close(CLOSE_TIMEOUT);

      expect(closing).toMatchObject({ status: 'end', commands: { rejected: 1, pending: 0 } });
      expect(closing.duration).toBeLessThan(CLOSE_TIMEOUT + AT_ONCE);
      expect(driven.client.status).toBe('end');
    },
  );

  it('closes at once while the primary is down and the Sentinels still point to it', async () => {
    await using driven = await drive(redisClient({ ...group.options, failoverDetector: true }));
    const subscribed = driven.event('failoverSubscribed');
    await driven.client.ping();
    await subscribed;
    await group.primary.kill();
    await driven.event('reconnecting');
    const closing = await driven.close();

    expect(closing).toMatchObject({ forced: false, status: 'end' });
    expect(closing.left).not.toContain('Timeout');
    await Promise.all(group.sentinels.map((sentinel) => sentinel.clients(0)));
  });

  it('ends although every Sentinel is frozen while it asks for the primary', async () => {
    for (const sentinel of group.sentinels) sentinel.freeze();
    await using driven = await drive(redisClient({ ...group.options, maxRetriesPerRequest: null }));
    driven.watch(driven.client.ping());
    const closing = await driven.close(CLOSE_TIMEOUT);
    expect(closing).toMatchObject({ forced: true, status: 'end', commands: { rejected: 1, pending: 0 } });
    expect(closing.duration).toBeLessThan(CLOSE_TIMEOUT + AT_ONCE);

    // ioredis asks on a connection of its own, which nothing public can end: 2 s for the answer, 2 s until it is cut.
    const from = performance.now();
    await driven.gone(10_000);
    expect(performance.now() - from).toBeLessThan(4_500);
    expect(driven.client.status).toBe('end');
  });

  it('asks the next Sentinel when one is silent', async () => {
    group.sentinels[0]?.freeze();
    await using driven = await drive(redisClient({ ...group.options, sentinelCommandTimeout: 300 }));
    expect(await driven.client.ping()).toBe('PONG');
    expect(await driven.close()).toMatchObject({ forced: false, status: 'end' });
  });

  it('answers what is queued if a failover comes in time', async () => {
    await using driven = await drive(redisClient({ ...group.options, maxRetriesPerRequest: null }));
    await driven.client.ping();
    await group.primary.kill();
    await driven.event('reconnecting');
    driven.watch(driven.client.set('a', 1));

    expect(await driven.close(20_000)).toMatchObject({ forced: false, status: 'end', commands: { answered: 1 } });
    expect(await group.replica.command('GET', 'a')).toBe('1');
  });
});
