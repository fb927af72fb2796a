import type { RedisOptions } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';
import { redisClient } from '../../src/redis/index.js';
import { describeWithRedis, freePort, startRedisServer } from '../support/redis-server.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { drive, failOnConsoleError } from './drive.js';
import { titledOptions } from '../support/titled.js';

const CLOSE_TIMEOUT = 400;
/** More than closing takes when nothing is waited for, on a busy machine; less than the 2 s that ioredis waits for a server. */
const AT_ONCE = 1_500;

const VARIANTS: RedisOptions[] = [undefined, 0, 1, null].flatMap((maxRetriesPerRequest) =>
  [true, false].map((enableOfflineQueue) => ({
    ...(maxRetriesPerRequest !== undefined && { maxRetriesPerRequest }),
    enableOfflineQueue,
  })),
);

failOnConsoleError();

describeWithRedis('a ready client', () => {
  it('closes while a test has every timer faked', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(redisClient({ port: server.port }));
    await driven.client.ping();
    vi.useFakeTimers();
    try {
      await driven.blueprint.driver.close?.(driven.client);
    } finally {
      vi.useRealTimers();
    }
    expect(driven.client.status).toBe('end');
  });

  it.each(
    titledOptions([{}, { enableAutoPipelining: true }, { enableOfflineQueue: false }, { maxRetriesPerRequest: null }]),
  )('answers 10,000 commands before it closes, with %s', async (_title, options) => {
    await using server = await startRedisServer();
    await using driven = await drive(redisClient({ port: server.port, ...options }));
    await driven.blueprint.driver.connect?.(driven.client);
    driven.watch(...Array.from({ length: 10_000 }, (_, index) => driven.client.set(`key:${index}`, index)));
    const closing = await driven.close(10_000);

    expect(closing).toMatchObject({ forced: false, status: 'end', left: [], commands: { answered: 10_000 } });
    expect(await server.command('DBSIZE')).toBe('10000');
    await server.clients(0);
  });

  it('answers a transaction, a pipeline and a script before it closes', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(
      redisClient({ port: server.port, scripts: { echo: { lua: 'return ARGV[1]', numberOfKeys: 0 } } }),
    );
    const client = driven.client as typeof driven.client & { echo(text: string): Promise<string> };
    await driven.blueprint.driver.connect?.(client);
    driven.watch(
      client.multi().set('a', 1).exec(),
      client.pipeline().set('b', 2).get('b').exec(),
      client.echo('hello'),
    );

    expect(await driven.close()).toMatchObject({ forced: false, left: [], commands: { answered: 3, rejected: 0 } });
  });

  it('closes at once when nothing is pending, and rejects later commands', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(redisClient(server.url));
    await driven.client.ping();
    const closing = await driven.close();

    expect(closing).toMatchObject({ forced: false, status: 'end', left: [] });
    expect(closing.duration).toBeLessThan(AT_ONCE);
    await expect(driven.client.ping()).rejects.toThrow('Connection is closed.');
    await server.clients(0);
  });

  it('closes in subscriber mode', async () => {
    await using server = await startRedisServer();
    for (const protocol of [2, 3] as const) {
      await using driven = await drive(redisClient({ port: server.port, protocol }));
      await driven.client.subscribe('news');
      expect(await driven.close()).toMatchObject({ forced: false, status: 'end', left: [] });
    }
    await server.clients(0);
  });

  it('waits for a blocking command until the deadline', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(redisClient(server.url));
    driven.watch(driven.client.blpop('list', 0));
    await driven.event('ready');
    const closing = await driven.close(CLOSE_TIMEOUT);

    expect(closing).toMatchObject({ forced: true, status: 'end', left: [], commands: { rejected: 1, pending: 0 } });
    expect(closing.duration).toBeLessThan(CLOSE_TIMEOUT + AT_ONCE);
    await server.clients(0);
  });

  it('closes once if asked twice, and after the user has quit', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(redisClient(server.url));
    await driven.client.ping();
    const ends = vi.fn<() => void>();
    driven.client.on('end', ends);
    await Promise.all([driven.close(), driven.close()]);
    expect(await driven.close()).toMatchObject({ forced: false, status: 'end', left: [] });
    expect(ends).toHaveBeenCalledTimes(1);

    await using other = await drive(redisClient(server.url));
    await other.client.quit();
    expect(await other.close()).toMatchObject({ forced: false, status: 'end', left: [] });
    await server.clients(0);
  });
});

describeWithRedis('a client that was never connected', () => {
  it.each(titledOptions(VARIANTS))('closes without opening a socket, with %s', async (_title, options) => {
    await using server = await startRedisServer();
    await using proxy = await startTcpProxy(server);
    await using driven = await drive(redisClient({ port: proxy.port, ...options }));
    const closing = await driven.close();

    expect(closing).toMatchObject({ forced: false, status: 'end', left: [] });
    expect(closing.duration).toBeLessThan(AT_ONCE);
    expect(proxy.accepted).toBe(0);
  });

  it('closes in the same tick as its first command was issued', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(redisClient(server.url));
    driven.watch(driven.client.set('key', 'value'));
    expect(await driven.close()).toMatchObject({ forced: false, status: 'end', left: [], commands: { answered: 1 } });

    await using other = await drive(redisClient({ port: server.port, enableOfflineQueue: false }));
    other.watch(other.client.set('key', 'value'));
    expect(await other.close()).toMatchObject({ forced: false, status: 'end', left: [], commands: { rejected: 1 } });
    await server.clients(0);
  });
});

describeWithRedis('a client whose server is down', () => {
  it.each(titledOptions(VARIANTS))('closes at once if nothing is pending, with %s', async (_title, options) => {
    await using server = await startRedisServer();
    await using driven = await drive(redisClient({ port: server.port, ...options }));
    await driven.blueprint.driver.connect?.(driven.client);
    await server.close();
    await driven.event('reconnecting');
    const closing = await driven.close();

    expect(closing).toMatchObject({ forced: false, status: 'end', left: [] });
    expect(closing.duration).toBeLessThan(AT_ONCE);
    await expect(driven.client.ping()).rejects.toThrow('Connection is closed.');
  });

  it.each(titledOptions(VARIANTS))('closes after a first attempt that failed, with %s', async (_title, options) => {
    await using driven = await drive(redisClient({ port: await freePort(), ...options }));
    driven.connect();
    await driven.event('reconnecting');
    expect(driven.errors).toMatchObject([{ code: 'ECONNREFUSED' }]);

    expect(await driven.close()).toMatchObject({ forced: false, status: 'end', left: [] });
  });

  it.each(titledOptions(VARIANTS))('rejects what is queued by the deadline, with %s', async (_title, options) => {
    await using server = await startRedisServer();
    await using driven = await drive(redisClient({ port: server.port, ...options }));
    await driven.blueprint.driver.connect?.(driven.client);
    await server.close();
    await driven.event('reconnecting');
    driven.watch(driven.client.set('a', 1), driven.client.get('a'));
    const closing = await driven.close(CLOSE_TIMEOUT);

    expect(closing).toMatchObject({ status: 'end', left: [], commands: { answered: 0, rejected: 2, pending: 0 } });
    expect(closing.duration).toBeLessThan(CLOSE_TIMEOUT + AT_ONCE);
    if (options.maxRetriesPerRequest === null && options.enableOfflineQueue) expect(closing.forced).toBe(true);
  });

  it('answers what is queued if the server is back in time', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(redisClient({ port: server.port, maxRetriesPerRequest: null }));
    await driven.blueprint.driver.connect?.(driven.client);
    await server.kill();
    await driven.event('reconnecting');
    driven.watch(driven.client.set('a', 1));
    const closed = driven.close(10_000);
    await server.restart();

    expect(await closed).toMatchObject({ forced: false, status: 'end', left: [], commands: { answered: 1 } });
    expect(await server.command('GET', 'a')).toBe('1');
  });

  it('answers what was in flight if the server is back in time', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(redisClient({ port: server.port, maxRetriesPerRequest: null }));
    await driven.blueprint.driver.connect?.(driven.client);
    server.freeze();
    driven.watch(driven.client.set('a', 1));
    await server.kill();
    await driven.event('reconnecting');
    const closed = driven.close(10_000);
    await server.restart();

    expect(await closed).toMatchObject({ forced: false, status: 'end', left: [], commands: { answered: 1 } });
  });

  it('rejects queued auto-pipelines by the deadline', async () => {
    await using server = await startRedisServer();
    const options = { port: server.port, enableAutoPipelining: true, maxRetriesPerRequest: null };
    await using driven = await drive(redisClient(options));
    await driven.client.ping();
    await server.close();
    await driven.event('reconnecting');
    driven.watch(driven.client.set('a', 1));
    const closed = driven.close(CLOSE_TIMEOUT);
    await new Promise(setImmediate);
    driven.watch(driven.client.set('b', 1));

    expect(await closed).toMatchObject({
      forced: true,
      status: 'end',
      left: [],
      commands: { rejected: 2, pending: 0 },
    });
  });
});

describeWithRedis('a client whose server is silent', () => {
  it.each(titledOptions(VARIANTS))('closes at once if nothing is pending, with %s', async (_title, options) => {
    await using server = await startRedisServer();
    await using driven = await drive(redisClient({ port: server.port, ...options }));
    await driven.blueprint.driver.connect?.(driven.client);
    server.freeze();
    const closing = await driven.close();

    expect(closing).toMatchObject({ forced: false, status: 'end', left: [] });
    expect(closing.duration).toBeLessThan(AT_ONCE);
    server.thaw();
    await server.clients(0);
  });

  it.each(titledOptions(VARIANTS))(
    'rejects what is in flight at the deadline and then ends at once, with %s',
    async (_, options) => {
      await using server = await startRedisServer();
      await using driven = await drive(redisClient({ port: server.port, ...options }));
      await driven.blueprint.driver.connect?.(driven.client);
      server.freeze();
      driven.watch(driven.client.set('a', 1), driven.client.get('a'));
      const closing = await driven.close(CLOSE_TIMEOUT);

      expect(closing).toMatchObject({ forced: true, status: 'end', left: [], commands: { rejected: 2, pending: 0 } });
      expect(closing.duration).toBeLessThan(CLOSE_TIMEOUT + AT_ONCE);
      server.thaw();
      await server.clients(0);
    },
  );

  it.each(titledOptions(VARIANTS))(
    'closes while the server has accepted and says nothing, with %s',
    async (_, options) => {
      await using server = await startRedisServer();
      await using proxy = await startTcpProxy(server);
      proxy.freeze();
      await using driven = await drive(redisClient({ port: proxy.port, ...options }));
      driven.connect();
      await driven.event('connect');
      const closing = await driven.close();

      expect(closing).toMatchObject({ forced: false, status: 'end' });
      expect(closing.duration).toBeLessThan(AT_ONCE);
      await proxy.disconnected();

      await using busy = await drive(redisClient({ port: proxy.port, ...options }));
      busy.watch(busy.client.get('a'));
      await busy.event('connect');
      const forced = await busy.close(CLOSE_TIMEOUT);
      expect(forced).toMatchObject({ status: 'end', commands: { rejected: 1, pending: 0 } });
      expect(forced.duration).toBeLessThan(CLOSE_TIMEOUT + AT_ONCE);
      await proxy.disconnected();
    },
  );

  it.each(titledOptions(VARIANTS))(
    'rejects what was in flight on a connection before the silent one, with %s',
    async (_, options) => {
      await using server = await startRedisServer();
      await using proxy = await startTcpProxy(server);
      await using driven = await drive(redisClient({ port: proxy.port, ...options }));
      await driven.blueprint.driver.connect?.(driven.client);
      proxy.freeze();
      driven.watch(driven.client.set('a', 1));
      proxy.cut();
      await driven.event('connect');
      const closing = await driven.close(CLOSE_TIMEOUT);

      expect(closing).toMatchObject({ status: 'end', commands: { rejected: 1, pending: 0 } });
      expect(closing.duration).toBeLessThan(CLOSE_TIMEOUT + AT_ONCE);
      await proxy.disconnected();
    },
  );

  it('closes while an address does not answer at all', async () => {
    // A listener whose backlog is full never completes another handshake: Linux drops the SYN.
    await using server = await startRedisServer({ args: ['--tcp-backlog', '1'] });
    server.freeze();
    const fillers = await Promise.all(Array.from({ length: 4 }, () => drive(redisClient(server.url))));
    for (const filler of fillers) filler.connect();
    await fillers[1]!.event('connect');
    await using driven = await drive(redisClient({ port: server.port, maxRetriesPerRequest: null }));
    driven.watch(driven.client.ping());
    const closing = await driven.close(CLOSE_TIMEOUT);

    expect(closing).toMatchObject({ forced: true, status: 'end', commands: { rejected: 1 } });
    expect(closing.duration).toBeLessThan(CLOSE_TIMEOUT + AT_ONCE);
    for (const filler of fillers) await filler.close();
  });
});

describe('the connection over a Unix socket', () => {
  it('closes at once while there is none', async () => {
    await using driven = await drive(redisClient({ path: '/nonexistent/redis.sock' }));
    driven.connect();
    await driven.event('reconnecting');
    expect(driven.errors).toMatchObject([{ code: 'ENOENT' }]);
    expect(await driven.close()).toMatchObject({ forced: false, status: 'end', left: [] });
  });
});
