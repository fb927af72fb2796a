import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { getClientToken } from '../../src/clients.tokens.js';
import { REDIS_CLIENT, redisClient, type RedisClientOptions } from '../../src/redis/index.js';
import { buildClient } from '../support/build-client.js';
import { describeWithRedis, freePort, startRedisServer } from '../support/redis-server.js';
import { runInNode } from '../support/run-in-node.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { drive } from './drive.js';
import { titled, titledOptions } from '../support/titled.js';

describe('redisClient()', () => {
  it('is of the kind "redis", and its token is that of the client named "redis"', () => {
    expect(redisClient('redis://localhost').kind).toBe('redis');
    expect(REDIS_CLIENT).toBe(getClientToken('redis'));
  });

  it('loads no ioredis until the client is created', async () => {
    const { output, errors } = await runInNode(`
      import { createRequire } from 'node:module';
      import { Redactor } from './src/redaction/redactor.js';
      import { redisClient, redisCluster } from './src/redis/index.js';
      const { cache } = createRequire(import.meta.url);
      const loaded = () => Object.keys(cache).some((file) => file.includes('/ioredis/'));
      const definition = redisClient('redis://localhost:6379');
      redisCluster({ nodes: [{ host: 'localhost', port: 6379 }] });
      const before = loaded();
      await definition.blueprint.create({ name: 'redis', dependencies: [], redactor: new Redactor() });
      console.log(before, loaded(), process.getActiveResourcesInfo().includes('TCPSocketWrap'));
    `);
    expect(errors).toBe('');
    expect(output.trim()).toBe('false true false');
  });

  describe('create', () => {
    it.each<[string, RedisClientOptions, object]>([
      [
        'reads a URL as ioredis does',
        { url: 'rediss://app:p%40ss@cache.internal:6380/2?family=6' },
        { host: 'cache.internal', port: 6380, username: 'app', password: 'p@ss', db: 2, family: 6, tls: true },
      ],
      [
        'lets the URL win, and the options add to it',
        { url: 'redis://:secret@cache.internal/2', port: 6390, db: 1, username: 'app', commandTimeout: 500 },
        { host: 'cache.internal', port: 6390, password: 'secret', db: 2, commandTimeout: 500 },
      ],
      ['takes a port alone', { port: 6390 }, { host: 'localhost', port: 6390 }],
      ['takes a Unix socket', { path: '/run/redis.sock' }, { path: '/run/redis.sock' }],
      ['connects lazily whatever the options say', { port: 6390, lazyConnect: false }, { lazyConnect: true }],
      [
        'connects lazily whatever the URL says',
        { url: 'redis://localhost?lazyConnect=&db=3' },
        { lazyConnect: true, db: 3 },
      ],
      [
        'limits the time for a Sentinel to answer',
        { sentinels: [{ host: 'localhost' }], name: 'main' },
        { sentinelCommandTimeout: 2_000 },
      ],
    ])('%s', async (_, options, expected) => {
      await using driven = await drive(redisClient(options));
      expect(driven.client).toBeInstanceOf(Redis);
      expect(Object.getPrototypeOf(driven.client)).toBe(Redis.prototype);
      expect(driven.client.status).toBe('wait');
      expect(driven.client.options).toMatchObject(expected);
    });

    it('takes the options that the factory of forRootAsync returns', async () => {
      const client = await buildClient(redisClient({ port: 6390 }), { factoryOptions: { password: 'secret' } });
      expect(client.options).toMatchObject({ port: 6390, password: 'secret' });
    });

    it('rejects options from a factory that are wrong', async () => {
      const definition = redisClient({ useFactory: () => ({}) });
      await expect(buildClient(definition)).rejects.toThrow('nothing says where the server is');
    });

    it.each(
      titled<[object, string]>([
        [{ url: undefined }, 'the factory returned url: undefined; is a variable not set?'],
        [{ host: undefined, db: 1 }, 'the factory returned host: undefined'],
        [{ port: undefined, password: undefined }, 'the factory returned port: undefined'],
      ]),
    )('names the address that a factory has returned without a value: %s', async (_, unset, problem) => {
      const returned = unset as RedisClientOptions;
      await expect(buildClient(redisClient({ useFactory: () => returned }))).rejects.toThrow(problem);
      await expect(buildClient(redisClient(), { factoryOptions: returned })).rejects.toThrow(problem);
    });
  });

  describe('findProblem', () => {
    const SECRET = 'hunter2';
    it.each(
      titled<[unknown, RegExp | undefined]>([
        ['redis://localhost', undefined],
        ['rediss://user:pw@localhost:6380/0', undefined],
        [{ port: 6379 }, undefined],
        [{ host: 'localhost', maxRetriesPerRequest: null, retryStrategy: null, db: 0, password: '' }, undefined],
        [{ sentinels: [{ host: 'localhost', port: 26379 }], name: 'main' }, undefined],
        [{ url: 'redis://localhost', port: 6390 }, undefined],
        [{ useFactory: () => ({ port: 1 }) }, undefined],
        [undefined, /nothing says where the server is; give "url", "host", "port", "path" or "sentinels"/],
        [{}, /nothing says where/],
        [
          { host: undefined },
          /nothing says where the server is: the options say host: undefined; is a variable not set\?/,
        ],
        [{ url: undefined }, /nothing says where the server is: the options say url: undefined/],
        [{ sentinels: null }, /the options say sentinels: null/],
        [42, /not an object/],
        [null, /not an object/],
        [['redis://localhost'], /not an object/],
        ['', /"url" is empty; perhaps a variable is not set/],
        [`http://${SECRET}@localhost`, /"url" must be a string that starts with redis/],
        [`localhost:${SECRET}`, /"url" must/],
        [`redis://user:${SECRET}/#@localhost`, /"url" is not a valid URL; percent-encode/],
        [`redis://:${SECRET}@`, /"url" (names no host|is not a valid URL)/],
        [`redis://localhost/${SECRET}`, /"url" must end with the number of a database/],
        [{ url: 6379 }, /"url" must be a string/],
        [{ url: 'redis://localhost', host: SECRET }, /"url" and "host" both say where/],
        [{ url: 'redis://localhost:6379', port: 6380 }, /"url" and "port" both say where/],
        [{ url: 'redis://localhost', sentinels: [{ host: SECRET }] }, /"url" and "sentinels" both/],
        [{ url: 'redis://localhost', nodes: [] }, /"nodes" belongs to a cluster; declare it with redisCluster\(\)/],
        [{ nodes: [{ port: 1 }] }, /redisCluster/],
        [{ host: '' }, /"host" must be a string, and not an empty one/],
        [{ port: '6379' }, /"port" must be a whole number from 1 to 65535; convert .* Number\(\)/],
        [`redis://user:p%${SECRET}@localhost`, /"url" has a "%" in its user name or password .* written as %25/],
        [`redis://user:100%@localhost`, /"url" has a "%"/],
        [`redis://us%er:${SECRET}@localhost`, /"url" has a "%"/],
        [`redis://user:%E0%A4@localhost`, /"url" has a "%"/],
        ['redis://user:100%25@localhost', undefined],
        ['redis://localhost:99999', /"url" must have a port from 1 to 65535, or none for 6379/],
        [`redis://user:${SECRET}@localhost:65536/1`, /"url" must have a port/],
        ['redis://localhost:0', /"url" must have a port/],
        ['redis://localhost:-1', /"url" must have a port/],
        ['redis://localhost:redis', /"url" must have a port/],
        ['redis://localhost:6379a', /"url" must have a port/],
        ['redis://[::1]:70000', /"url" must have a port/],
        ['redis://[::1]:7000', undefined],
        ['redis://[::1', /"url" is not a valid URL: its host is none/],
        ['redis://local host', /"url" is not a valid URL: its host is none/],
        ['redis://:6379', /"url" names no host/],
        [`redis://user:${SECRET}?@localhost`, /"url" is not a valid URL; percent-encode/],
        [`redis://user:12#${SECRET}@localhost`, /"url" is not a valid URL; percent-encode/],
        [`redis://user:12/34@localhost`, /"url" is not a valid URL; percent-encode/],
        [`redis://user:12?${SECRET}@localhost`, /"url" is not a valid URL; percent-encode/],
        [`redis://localhost?password=${SECRET}@`, undefined],
        [{ port: 1, credentials: SECRET }, /"credentials" must be a function that returns a promise/],
        [{ port: 1, credentials: async () => ({ password: 'p' }) }, undefined],
        [{ port: 1, username: 'app', credentials: async () => ({ password: 'p' }) }, undefined],
        [{ url: 'redis://app@localhost', credentials: async () => ({ password: 'p' }) }, undefined],
        [{ port: 1, credentials: null, password: 'p' }, undefined],
        [
          { port: 1, password: SECRET, credentials: async () => ({ password: 'p' }) },
          /"credentials" and "password" both say how to log in; give one of them/,
        ],
        [
          { url: `redis://:${SECRET}@localhost`, credentials: async () => ({ password: 'p' }) },
          /"credentials" and the password in "url" both say how to log in/,
        ],
        [
          { url: `redis://localhost?password=${SECRET}`, credentials: async () => ({ password: 'p' }) },
          /"credentials" and the password in "url" both say how to log in/,
        ],
        [{ port: 0 }, /"port" must/],
        [{ port: 65_536 }, /"port" must/],
        [{ port: Number.NaN }, /"port" must/],
        [{ port: 1, db: -1 }, /"db" must be a whole number from 0/],
        [{ port: 1, password: 42 }, /"password" must be a string/],
        [{ port: 1, tls: true }, /"tls" must be an object/],
        [{ port: 1, maxRetriesPerRequest: '3' }, /"maxRetriesPerRequest" must be a whole number, or null/],
        [{ port: 1, retryStrategy: 100 }, /"retryStrategy" must be a function/],
        [{ port: 1, connectTimeout: '5s' }, /"connectTimeout" must be a number of milliseconds/],
        [
          { port: 1, commandTimeout: Infinity },
          /"commandTimeout" must be a number of milliseconds from 0 to 2147483647/,
        ],
        [{ sentinels: [], name: 'main' }, /"sentinels" must be an array/],
        [{ sentinels: [{ host: 'localhost' }] }, /"sentinels" needs "name"/],
        [
          { sentinels: [{ host: 'localhost' }], name: 'main', tls: {} },
          /"tls" counts .* enableTLSForSentinelMode: true/,
        ],
        [{ sentinels: [{ host: 'localhost' }], name: 'main', tls: {}, enableTLSForSentinelMode: true }, undefined],
        [{ useFactory: 'redis://localhost' }, /"useFactory" must be a function/],
      ]),
    )('finds in %s the problem %s', (_, options, expected) => {
      const problem = redisClient(options as RedisClientOptions).blueprint.findProblem({ fromFactory: false });
      if (expected) expect(problem).toMatch(expected);
      else expect(problem).toBeUndefined();
      expect(problem ?? '').not.toContain(SECRET);
    });

    it('leaves options to the factory of forRootAsync', () => {
      expect(redisClient().blueprint.findProblem({ fromFactory: true })).toBeUndefined();
    });
  });
});

describeWithRedis('a Redis client', () => {
  it('connects once connect() is called, with user name and password from the URL', async () => {
    await using server = await startRedisServer({ user: { name: 'app', password: 'p@ss/word' } });
    await using driven = await drive(redisClient(server.url));
    expect(await server.clientCount()).toBe(0);
    await driven.blueprint.driver.connect?.(driven.client);
    expect(driven.client.status).toBe('ready');
    await driven.blueprint.driver.check?.(driven.client);
    expect(await server.clientCount()).toBe(1);
    await driven.close();
  });

  it('does not connect again if a command has come first', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(redisClient(server.url));
    const answer = driven.client.ping();
    await driven.blueprint.driver.connect?.(driven.client);
    expect(await answer).toBe('PONG');
    await driven.blueprint.driver.connect?.(driven.client);
    expect(await server.clientCount()).toBe(1);
    await driven.close();
  });

  it('reports that it cannot connect, and connects once the server is there', async () => {
    const port = await freePort();
    await using driven = await drive(redisClient({ port }));
    driven.connect();
    await driven.event('reconnecting');
    expect(driven.errors).toContainEqual(expect.objectContaining({ code: 'ECONNREFUSED' }));
    const ready = driven.event('ready');
    await using server = await startRedisServer({ port });
    await ready;
    await driven.blueprint.driver.check?.(driven.client);
    expect(await server.clientCount()).toBe(1);
    await driven.close();
  });

  it('reports a wrong password', async () => {
    await using server = await startRedisServer({ password: 'right' });
    await using driven = await drive(redisClient({ port: server.port, password: 'wrong' }));
    await expect(driven.blueprint.driver.check?.(driven.client)).rejects.toThrow('WRONGPASS');
    await driven.close();
  });

  describe('check', () => {
    const check = async (driven: Awaited<ReturnType<typeof drive<Redis>>>) =>
      driven.blueprint.driver.check?.(driven.client);

    it.each(titledOptions([{}, { enableOfflineQueue: false }]))(
      'connects a client that was never used, with %s',
      async (_, options) => {
        await using server = await startRedisServer();
        await using driven = await drive(redisClient({ port: server.port, ...options }));
        await Promise.all([check(driven), check(driven)]);
        await check(driven);
        expect(await server.clientCount()).toBe(1);
        await driven.close();
      },
    );

    it.each([2, 3] as const)('passes in subscriber mode, with protocol $0', async (protocol) => {
      await using server = await startRedisServer();
      await using driven = await drive(redisClient({ port: server.port, protocol }));
      await driven.client.subscribe('news');
      await expect(check(driven)).resolves.toBeUndefined();
      await driven.close();
    });

    it('rejects at once while the server is down, with the reason and without queueing anything', async () => {
      await using server = await startRedisServer();
      await using driven = await drive(redisClient({ port: server.port, maxRetriesPerRequest: null }));
      await check(driven);
      await server.close();
      await driven.event('reconnecting');
      await expect(check(driven)).rejects.toThrow(
        `There is no connection to Redis: the client's status is "reconnecting"`,
      );
      expect(await driven.close()).toMatchObject({ forced: false });
      await expect(check(driven)).rejects.toThrow('"end"');

      await using fresh = await drive(redisClient({ port: server.port }));
      await expect(check(fresh)).rejects.toThrow('ECONNREFUSED');
      await fresh.close();
    });

    it('keeps one set of listeners while a silent server is being asked again and again', async () => {
      await using server = await startRedisServer();
      await using proxy = await startTcpProxy(server);
      proxy.freeze();
      await using driven = await drive(redisClient({ port: proxy.port }));
      const checks = Promise.all(Array.from({ length: 50 }, () => check(driven)));
      expect(driven.client.listenerCount('error')).toBeLessThan(4);
      proxy.thaw();
      await checks;
      expect(driven.client.listenerCount('error')).toBe(1);
      await driven.close();
    });
  });

  it('lets the process end as soon as it has closed, whatever the server does', async () => {
    await using server = await startRedisServer();
    await using frozen = await startRedisServer();
    frozen.freeze();
    const ports = [server.port, frozen.port, await freePort()];
    const { output, errors, code } = await runInNode(`
      import { Redactor } from './src/redaction/redactor.js';
      import { redisClient } from './src/redis/index.js';
      for (const port of ${JSON.stringify(ports)}) {
        const { blueprint } = redisClient({ port });
        const client = await blueprint.create({ name: 'redis', dependencies: [], redactor: new Redactor() });
        blueprint.driver.onError(client, () => {});
        const opened = new Promise((resolve) => client.once('connect', resolve).once('reconnecting', resolve));
        blueprint.driver.connect(client).catch(() => {});
        await opened;
        await blueprint.driver.close(client);
      }
      const closed = performance.now();
      process.on('exit', () => console.log(performance.now() - closed));
    `);
    expect(errors).toBe('');
    expect(code).toBe(0);
    expect(Number(output)).toBeLessThan(200);
  });
});
