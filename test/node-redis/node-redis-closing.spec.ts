import { expect, it, vi } from 'vitest';
import { nodeRedisClient } from '../../src/node-redis/index.js';
import { freePort, startRedisServer } from '../support/redis-server.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { drive } from './drive.js';
import { describeEachVersion } from './versions.js';
import { titledOptions } from '../support/titled.js';

const CLOSE_TIMEOUT = 400;
/** More than closing takes when nothing is waited for, on a busy machine; less than any pause of node-redis. */
const AT_ONCE = 1_500;
const OPTIONS = [{}, { disableOfflineQueue: true }, { RESP: 2 as const }, { commandOptions: { timeout: 100_000 } }];
const GRACEFUL = { forced: false, isOpen: false, left: [] };

describeEachVersion('closing a client that is ready', () => {
  it('works while a test has every timer faked', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient(server.url));
    await driven.client.ping();
    await driven.changed(1);
    vi.useFakeTimers();
    try {
      await driven.blueprint.driver.close?.(driven.client);
    } finally {
      vi.useRealTimers();
    }
    expect(driven.client.isOpen).toBe(false);
  });

  it.each(titledOptions([{}, { RESP: 2 as const }]))(
    'answers 10,000 commands first, with %s',
    async (_title, options) => {
      await using server = await startRedisServer();
      await using driven = await drive(nodeRedisClient({ url: server.url, ...options }));
      await driven.client.connect();
      driven.watch(...Array.from({ length: 10_000 }, (_, index) => driven.client.set(`key:${index}`, index)));
      expect(await driven.close(10_000)).toMatchObject({ ...GRACEFUL, commands: { answered: 10_000 } });
      expect(await server.command('DBSIZE')).toBe('10000');
      await server.clients(0);
    },
  );

  it('ends as soon as all is answered, also if a command has connected it', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient(server.url));
    await driven.client.set('first', 1); // node-redis has queued it until there was a connection
    await driven.changed(1);
    driven.watch(...Array.from({ length: 20 }, (_, index) => driven.client.set(`key:${index}`, index)));
    expect(await driven.close()).toMatchObject({ ...GRACEFUL, commands: { answered: 20 } });
  });

  it('answers a transaction, a pipeline and a script first', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient(server.url));
    await driven.client.connect();
    const { client } = driven;
    driven.watch(
      client.multi().set('a', 1).exec(),
      client.multi().set('b', 2).get('b').execAsPipeline(),
      client.eval('return ARGV[1]', { keys: [], arguments: ['hello'] }),
    );
    expect(await driven.close()).toMatchObject({ ...GRACEFUL, commands: { answered: 3, rejected: 0 } });
  });

  it('takes no time when nothing is pending, and later commands reject at once', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient(server.url));
    const { client } = driven;
    await client.ping();
    const closing = await driven.close();
    expect(closing).toMatchObject(GRACEFUL);
    expect(closing.duration).toBeLessThan(AT_ONCE);
    for (const late of [
      client.ping(),
      client.multi().ping().exec(),
      client.multi().ping().execAsPipeline(),
      client.subscribe('news', () => {}),
      client.unsubscribe('news'),
      client.sendCommand(['PING']),
      client.withTypeMapping({}).ping(),
      client.connect(),
    ]) {
      await expect(late).rejects.toMatchObject({ code: 'CLIENTS_CLOSED' });
    }
    await server.clients(0);
  });

  it.each(titledOptions([{}, { RESP: 2 as const }]))('works in subscriber mode, with %s', async (_title, options) => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient({ url: server.url, ...options }));
    await driven.client.subscribe('news', () => {});
    expect(await driven.close()).toMatchObject(GRACEFUL);
    await server.clients(0);
  });

  it('waits for a blocking command until the deadline', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient(server.url));
    await driven.client.connect();
    driven.watch(driven.client.blPop('list', 0));
    const closing = await driven.close(CLOSE_TIMEOUT);
    expect(closing).toMatchObject({ ...GRACEFUL, forced: true, commands: { rejected: 1, pending: 0 } });
    expect(closing.duration).toBeLessThan(CLOSE_TIMEOUT + AT_ONCE);
    await server.clients(0);
  });

  it('happens once if asked twice, and after the user has closed or destroyed it', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient(server.url));
    await driven.client.ping();
    await Promise.all([driven.close(), driven.close()]);
    expect(await driven.close()).toMatchObject(GRACEFUL);
    for (const method of ['close', 'destroy'] as const) {
      await using other = await drive(nodeRedisClient(server.url));
      await other.client.connect();
      await other.client[method]();
      expect(await other.close()).toMatchObject(GRACEFUL);
    }
    await server.clients(0);
  });

  it('leaves duplicates and pools to the user', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient(server.url));
    await driven.client.ping();
    const duplicate = driven.client.duplicate();
    const pool = driven.client.createPool({ minimum: 1 });
    duplicate.on('error', () => {});
    pool.on('error', () => {});
    await Promise.all([duplicate.connect(), pool.connect()]);
    await driven.blueprint.driver.close?.(driven.client);
    expect(await Promise.all([duplicate.ping(), pool.ping()])).toEqual(['PONG', 'PONG']);
    const connectedAnew = new Promise((resolve) => duplicate.once('ready', () => resolve(undefined)));
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await connectedAnew;
    expect(await duplicate.ping()).toBe('PONG');
    duplicate.destroy();
    pool.destroy();
    await server.clients(0);
  });

  it('is not held up by a health check that the server has not answered', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient(server.url));
    await driven.client.ping();
    await driven.changed(1);
    server.freeze();
    for (let count = 0; count < 50; count += 1) driven.check().catch(() => {});
    const closing = await driven.close();
    expect(closing).toMatchObject(GRACEFUL);
    expect(closing.duration).toBeLessThan(AT_ONCE);
    server.thaw();
    expect(await server.command('INFO', 'commandstats')).toMatch(/cmdstat_ping:calls=3,/); // ours, confirmed, checked
  });
});

describeEachVersion('closing a client that was never connected', () => {
  it.each(titledOptions(OPTIONS))('opens no socket, with %s', async (_title, options) => {
    await using server = await startRedisServer();
    await using proxy = await startTcpProxy(server);
    await using driven = await drive(nodeRedisClient({ socket: { port: proxy.port }, ...options }));
    expect(await driven.close()).toMatchObject(GRACEFUL);
    await expect(driven.client.ping()).rejects.toMatchObject({ code: 'CLIENTS_CLOSED' });
    expect(proxy.accepted).toBe(0);
  });

  it('answers what was asked in the same tick', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient(server.url));
    driven.watch(driven.client.set('key', 'value'));
    expect(await driven.close()).toMatchObject({ ...GRACEFUL, commands: { answered: 1 } });
    await using other = await drive(nodeRedisClient({ url: server.url, disableOfflineQueue: true }));
    other.watch(other.client.set('key', 'value'));
    expect(await other.close()).toMatchObject({ ...GRACEFUL, commands: { rejected: 1 } });
    await server.clients(0);
  });
});

describeEachVersion('closing a client whose server is down', () => {
  it.each(titledOptions(OPTIONS))('takes no time if nothing is pending, with %s', async (_title, options) => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient({ url: server.url, ...options }));
    await driven.client.connect();
    await driven.changed(1);
    await server.close();
    await driven.changed(2);
    const closing = await driven.close();
    expect(closing).toMatchObject({ forced: false, isOpen: false });
    expect(closing.duration).toBeLessThan(AT_ONCE);
    await expect(driven.client.ping()).rejects.toMatchObject({ code: 'CLIENTS_CLOSED' });
  });

  it.each(titledOptions(OPTIONS))('works after a first attempt that failed, with %s', async (_title, options) => {
    await using driven = await drive(nodeRedisClient({ socket: { port: await freePort() }, ...options }));
    const failed = driven.nextError();
    driven.connect();
    expect(await failed).toMatchObject({ code: 'ECONNREFUSED' });
    expect(await driven.close()).toMatchObject({ forced: false, isOpen: false });
  });

  it.each(titledOptions(OPTIONS))('rejects what is queued by the deadline, with %s', async (_title, options) => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient({ url: server.url, ...options }));
    await driven.client.connect();
    await driven.changed(1);
    await server.close();
    await driven.changed(2);
    driven.watch(driven.client.set('a', 1), driven.client.get('a'));
    const closing = await driven.close(CLOSE_TIMEOUT);
    expect(closing).toMatchObject({ isOpen: false, commands: { answered: 0, rejected: 2, pending: 0 } });
    expect(closing.duration).toBeLessThan(CLOSE_TIMEOUT + AT_ONCE);
    expect(closing.forced).toBe(!('disableOfflineQueue' in options));
  });

  it('answers what is queued if the server is back in time', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient(server.url));
    await driven.client.connect();
    await driven.changed(1);
    await server.kill();
    await driven.changed(2);
    driven.watch(driven.client.set('a', 1));
    const closed = driven.close(10_000);
    await server.restart();
    expect(await closed).toMatchObject({ ...GRACEFUL, commands: { answered: 1 } });
    expect(await server.command('GET', 'a')).toBe('1');
  });
});

describeEachVersion('closing a client whose server is silent', () => {
  it.each(titledOptions(OPTIONS))('takes no time if nothing is pending, with %s', async (_title, options) => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient({ url: server.url, ...options }));
    await driven.client.connect();
    await driven.changed(1);
    server.freeze();
    const closing = await driven.close();
    expect(closing).toMatchObject(GRACEFUL);
    expect(closing.duration).toBeLessThan(AT_ONCE);
    server.thaw();
    await server.clients(0);
  });

  it.each(titledOptions(OPTIONS))('rejects what is in flight at the deadline, with %s', async (_title, options) => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient({ url: server.url, ...options }));
    await driven.client.connect();
    server.freeze();
    driven.watch(driven.client.set('a', 1), driven.client.get('a'));
    const closing = await driven.close(CLOSE_TIMEOUT);
    expect(closing).toMatchObject({ ...GRACEFUL, forced: true, commands: { rejected: 2, pending: 0 } });
    server.thaw();
    await server.clients(0);
  });

  it.each(titledOptions(OPTIONS))(
    'works while the server has accepted and says nothing, with %s',
    async (_, options) => {
      await using server = await startRedisServer();
      await using proxy = await startTcpProxy(server);
      proxy.freeze();
      await using driven = await drive(nodeRedisClient({ socket: { port: proxy.port }, ...options }));
      driven.connect();
      await proxy.connected(1);
      const closing = await driven.close();
      expect(closing).toMatchObject({ ...GRACEFUL, forced: false });
      expect(closing.duration).toBeLessThan(AT_ONCE);
      await proxy.disconnected();

      await using busy = await drive(nodeRedisClient({ socket: { port: proxy.port }, ...options }));
      busy.watch(busy.client.get('a'));
      await proxy.connected(1);
      const forced = await busy.close(CLOSE_TIMEOUT);
      expect(forced).toMatchObject({ isOpen: false, left: [], commands: { rejected: 1, pending: 0 } });
      await proxy.disconnected();
    },
  );

  it('works while an address does not answer at all', async () => {
    // A listener whose backlog is full never completes another handshake: Linux drops the SYN.
    await using server = await startRedisServer({ args: ['--tcp-backlog', '1'] });
    server.freeze();
    const fillers = await Promise.all(Array.from({ length: 4 }, () => drive(nodeRedisClient(server.url))));
    for (const filler of fillers) filler.connect();
    await new Promise((resolve) => fillers[1]!.client.once('connect', () => resolve(undefined)));
    await using driven = await drive(nodeRedisClient(server.url));
    driven.watch(driven.client.ping());
    const closing = await driven.close(CLOSE_TIMEOUT);
    expect(closing).toMatchObject({ forced: true, isOpen: false, commands: { rejected: 1 } });
    for (const filler of fillers) await filler.close();
  });

  it('works over a Unix socket that is not there', async () => {
    await using driven = await drive(nodeRedisClient({ socket: { path: '/nonexistent/redis.sock', tls: false } }));
    const failed = driven.nextError();
    driven.connect();
    expect(await failed).toMatchObject({ code: 'ENOENT' });
    expect(await driven.close()).toMatchObject({ forced: false, isOpen: false });
  });
});
