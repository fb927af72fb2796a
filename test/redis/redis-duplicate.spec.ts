import { once } from 'node:events';
import { Injectable, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Redis, type RedisOptions } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-5';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { defineClient, getClientToken, type ClientDefinition } from '../../src/index.js';
import {
  InjectRedis,
  redisClient,
  redisCluster,
  redisDuplicate,
  type RedisClientOptions,
  type RedisDuplicateOptions,
} from '../../src/redis/index.js';
import { bootApp, clientsOf, nextEvent, recordEvents, registryOf, rejection, thrown } from '../support/boot-app.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.js';

@Injectable()
class Consumer {
  constructor(
    @InjectRedis() readonly redis: Redis,
    @InjectRedis('reader') readonly reader: Redis,
  ) {}
}

describeWithRedis('redisDuplicate()', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());
  beforeEach(() => server.command('FLUSHALL'));

  interface Started {
    app: INestApplication;
    logger: RecordingLogger;
    redis: Redis;
    reader: Redis;
  }

  /** An application with the client `redis` and the connection `reader` derived from it, both connected. */
  async function start(base: ClientDefinition, different: RedisDuplicateOptions = {}): Promise<Started> {
    const logger = new RecordingLogger();
    const clients = { redis: base, reader: redisDuplicate(different, { waitUntilReady: true }) };
    const app = await bootApp({ imports: [clientsOf(clients)], providers: [Consumer] }, { logger });
    const { redis, reader } = app.get(Consumer);
    await redis.ping();
    return { app, logger, redis, reader };
  }

  const expectQuiet = ({ logger }: Started): void =>
    expect(logger.lines.filter((line) => !line.startsWith('log: '))).toEqual([]);

  /** Resolves when the server has a read of that connection waiting. */
  async function blocked(count = 1): Promise<void> {
    while (!(await server.command('INFO', 'clients')).includes(`blocked_clients:${count}\r\n`));
  }

  async function closeInTime(app: INestApplication): Promise<void> {
    const began = performance.now();
    await app.close();
    expect(performance.now() - began).toBeLessThan(1_000); // closeTimeout is 5,000
  }

  const urlOf = (options: RedisOptions): RedisClientOptions => ({ url: server.url, ...options });
  const drivers: [string, () => ClientDefinition][] = [
    ['ioredis 6, RESP3', () => redisClient(urlOf({ protocol: 3 }))],
    ['ioredis 6, RESP2', () => redisClient(urlOf({ protocol: 2 }))],
    ['ioredis 6, auto-pipelining', () => redisClient(urlOf({ enableAutoPipelining: true }))],
    [
      'ioredis 5',
      () =>
        defineClient({
          create: () => new Redis5(server.url, { lazyConnect: true }),
          close: (client) => client.disconnect(),
        }),
    ],
  ];

  it('is a connection of its own, of the kind "redis", with the options of the client that it is built on', async () => {
    const { app, redis, reader } = await start(redisClient(urlOf({ db: 3, commandTimeout: 900 })), {
      maxRetriesPerRequest: null,
    });
    await reader.set('here', '1');

    expect(reader).toBeInstanceOf(Redis);
    expect(await redis.get('here')).toBe('1');
    expect(await reader.client('ID')).not.toBe(await redis.client('ID'));
    expect(reader.options).toMatchObject({ db: 3, commandTimeout: 900, maxRetriesPerRequest: null });
    expect(redis.options).toMatchObject({ db: 3, commandTimeout: 900, maxRetriesPerRequest: 20 });
    expect(registryOf(app).status()).toMatchObject([
      { name: 'redis', kind: 'redis', state: 'open', connection: 'connected' },
      { name: 'reader', kind: 'redis', state: 'open', connection: 'connected' },
    ]);
    await server.clients(2);
  });

  it('is built on the client that it names, and not before it is injected', async () => {
    const logger = new RecordingLogger();
    const clients = {
      sessions: redisClient(urlOf({ db: 4 })),
      unused: redisDuplicate({ from: 'sessions' }),
      reader: redisDuplicate({ from: 'sessions' }),
    };
    const app = await bootApp({ imports: [clientsOf(clients)] }, { logger });
    const reader = (await registryOf(app).get('reader')) as Redis;

    expect(reader.options.db).toBe(4);
    expect(registryOf(app).status()).toMatchObject([{ state: 'open' }, { state: 'idle' }, { state: 'open' }]);
  });

  it('logs in with what the credentials of its client say, each time that it connects', async () => {
    const users = await startRedisServer({ user: { name: 'app', password: 'first' } });
    onTestFinished(() => users.close());
    let asked = 0;
    const base = redisClient({
      host: users.host,
      port: users.port,
      credentials: async () => {
        asked += 1;
        return { username: 'app', password: 'first' };
      },
    });
    const { redis, reader } = await start(base);

    expect(await reader.acl('WHOAMI')).toBe('app');
    const before = asked;
    const again = once(reader, 'ready');
    await redis.client('KILL', 'ID', await reader.client('ID'));
    await again;
    expect(await reader.acl('WHOAMI')).toBe('app');
    expect(asked).toBeGreaterThan(before);
  });

  it('closes before the client that it is built on', async () => {
    const { app } = await start(redisClient(server.url));
    const events = recordEvents(registryOf(app));
    await app.close();

    expect(events.map(({ client, type }) => `${client} ${type}`)).toEqual([
      'reader closing',
      'reader closed',
      'redis closing',
      'redis closed',
    ]);
    await server.clients(0);
  });

  it('publishes that its connection is lost and regained', async () => {
    const { app, redis, reader } = await start(redisClient(server.url));
    const [lost, regained] = [
      nextEvent(registryOf(app), 'disconnected', 'reader'),
      nextEvent(registryOf(app), 'connected', 'reader'),
    ];
    await redis.client('KILL', 'ID', await reader.client('ID'));

    await lost;
    await regained;
    expect(registryOf(app).status()).toMatchObject([{ connection: 'connected' }, { connection: 'connected' }]);
  });

  describe.each(drivers)('on %s', (_, define) => {
    it('hears messages, is up while it is subscribed, and closes in silence', async () => {
      const started = await start(define());
      const { app, redis, reader } = started;
      await reader.subscribe('news');
      const message = once(reader, 'message');
      await redis.publish('news', 'hello');

      expect(await message).toEqual(['news', 'hello']);
      expect(await registryOf(app).check('reader')).toMatchObject({ status: 'up' });
      expect(await registryOf(app).check('reader')).toMatchObject({ status: 'up' });
      await closeInTime(app);
      expectQuiet(started);
      expect(reader.status).toBe('end');
      await server.clients(0);
    });

    it.each<[string, (reader: Redis) => Promise<unknown>]>([
      ['BLPOP', (reader) => reader.blpop('list', 0)],
      ['BZPOPMIN', (reader) => reader.bzpopmin('set', 0)],
      ['BLMOVE', (reader) => reader.blmove('list', 'other', 'LEFT', 'RIGHT', 0)],
      ['XREAD BLOCK', (reader) => reader.xread('BLOCK', 0, 'STREAMS', 'stream', '$')],
      ['XREADGROUP BLOCK', (reader) => readGroup(reader)],
      ['a BLPOP that is sent with call()', (reader) => reader.call('BLPOP', 'list', '0')],
    ])('ends %s in flight at shutdown, as if it had timed out', async (_command, read) => {
      const started = await start(define());
      const { app, redis, reader } = started;
      await redis.xgroup('CREATE', 'stream', 'group', '$', 'MKSTREAM');
      const reading = read(reader);
      reading.catch(() => {});
      await blocked();

      await closeInTime(app);
      expect(await reading).toBeNull();
      expectQuiet(started);
      await server.clients(0);
    });

    it('is up while a read blocks it, and down when the server is silent', async () => {
      const { app, reader } = await start(define());
      const reading = reader.blpop('list', 0);
      await blocked();

      expect(await registryOf(app).check('reader')).toMatchObject({ status: 'up' });
      server.freeze();
      onTestFinished(() => server.thaw());
      expect(await registryOf(app).check('reader', { timeout: 200 })).toMatchObject({ status: 'down' });
      server.thaw();
      expect(await registryOf(app).check('reader')).toMatchObject({ status: 'up' });
      await app.close();
      expect(await reading).toBeNull();
    });
  });

  it('ends several reads in flight, answers what waits behind them, and refuses further ones', async () => {
    const started = await start(redisClient(server.url));
    const { app, reader } = started;
    const reads = [reader.blpop('a', 0), reader.blpop('b', 0), reader.set('behind', '1')];
    const loop = (async () => {
      for (;;) await reader.brpop('c', 0);
    })();
    const ended = rejection(loop);
    await blocked();

    await closeInTime(app);
    expect(await Promise.all(reads)).toEqual([null, null, 'OK']);
    expect((await ended).message).toBe('Connection is closed.');
    expectQuiet(started);
  });

  it('loses nothing that a loop reads while it closes', async () => {
    const { app, reader } = await start(redisClient(server.url));
    const producer = new Redis(server.url);
    onTestFinished(() => producer.disconnect());
    const [total, received] = [2_000, [] as string[]];
    const loop = (async () => {
      for (;;) {
        const reply = await reader.blpop('jobs', 0);
        if (reply) received.push(reply[1]);
      }
    })().catch(() => {});
    const producing = (async () => {
      for (let job = 0; job < total; job += 1) await producer.rpush('jobs', job);
    })();
    while (received.length < total / 4) await new Promise((resolve) => setImmediate(resolve));

    await app.close();
    await loop;
    await producing;
    expect(received.length).toBeLessThan(total);
    expect(received.length + (await producer.llen('jobs'))).toBe(total);
  });

  it.each([
    ['CLIENT UNBLOCK', '-client|unblock'],
    ['CLIENT', '-client'],
    ['INFO', '-info'],
  ])('disconnects at once, in silence, where %s is not permitted', async (_, rule) => {
    await server.command('ACL', 'SETUSER', 'limited', 'on', '>limited', '~*', '&*', '+@all', rule);
    const enableReadyCheck = rule !== '-info';
    const started = await start(
      redisClient({ host: server.host, port: server.port, username: 'limited', password: 'limited', enableReadyCheck }),
    );
    const reading = rejection(started.reader.blpop('list', 0));
    await blocked();

    await closeInTime(started.app);
    expect((await reading).message).toBe('Connection is closed.');
    expectQuiet(started);
    await server.clients(0);
  });

  it('ends a read at once that waits for a server that is down', async () => {
    const other = await startRedisServer();
    onTestFinished(() => other.close());
    const { app, reader } = await start(redisClient(other.url));
    const lost = once(reader, 'close');
    await other.stop();
    await lost;
    const reading = rejection(reader.blpop('list', 0));

    await closeInTime(app);
    expect((await reading).message).toBe('Connection is closed.');
  });

  it('gives up on a server that has stopped answering long before closeTimeout', async () => {
    const other = await startRedisServer();
    onTestFinished(() => other.close());
    const { app, reader } = await start(redisClient(other.url));
    const reading = rejection(reader.blpop('list', 0));
    while (!(await other.command('INFO', 'clients')).includes('blocked_clients:1\r\n'));
    other.freeze();

    await closeInTime(app);
    expect((await reading).message).toBe('Connection is closed.');
  });

  it('says what is missing when the client that it is built on is a fake', async () => {
    const building = Test.createTestingModule({
      imports: [clientsOf({ redis: redisClient(server.url), reader: redisDuplicate() })],
      providers: [Consumer],
    })
      .overrideProvider(getClientToken('redis'))
      .useValue(new Map())
      .setLogger(false as never)
      .compile();

    const { code, message } = await rejection(building);
    expect(code).toBe('CLIENTS_CREATE_FAILED');
    expect(message).toContain('"redis", named in "from", is not an ioredis client: it has no duplicate()');
    expect(message).toContain(`replace "reader" too: overrideProvider(getClientToken('reader'))`);
  });

  it('says that a client of another kind, or a Cluster, cannot be what it is built on', async () => {
    const app = await bootApp({
      imports: [
        clientsOf({
          agent: defineClient({ create: () => ({}) }),
          cluster: redisCluster({ nodes: [{ host: '127.0.0.1', port: 1 }] }),
          one: redisDuplicate({ from: 'agent' }),
          other: redisDuplicate({ from: 'cluster' }),
        }),
      ],
    });

    expect((await rejection(registryOf(app).get('one'))).message).toContain(
      '"agent", named in "from", is not an ioredis',
    );
    expect((await rejection(registryOf(app).get('other'))).message).toContain(
      'is a Redis Cluster; declare "other" as a second redisCluster()',
    );
  });

  it.each<[string, object, string]>([
    ['an address', { host: 'elsewhere' }, '"host" is that of the client named in "from"'],
    ['a URL', { url: 'redis://elsewhere' }, '"url" is that of the client named in "from"'],
    ['a password', { password: 'hunter2' }, '"password" is that of the client named in "from"'],
    ['an option that is wrong', { db: '2' }, '"db" must be a whole number'],
    ['no name', { from: '' }, '"from" is not the name of a client'],
    ['what is no name', { from: 5 }, '"from" is not the name of a client'],
  ])('refuses %s when it is declared', (_, options, problem) => {
    const error = thrown(() => clientsOf({ reader: redisDuplicate(options) }));

    expect(error).toMatchObject({ code: 'CLIENTS_INVALID_OPTIONS' });
    expect(error.message).toContain(problem);
    expect(error.message).not.toContain('hunter2');
  });

  it('takes options that differ from the factory of forRootAsync', async () => {
    const clients = { redis: redisClient(server.url), reader: redisDuplicate() };
    const { ClientsModule } = await import('../../src/index.js');
    const app = await bootApp({
      imports: [ClientsModule.forRootAsync({ clients, useFactory: () => ({ reader: { db: 5 } }) })],
    });

    expect(((await registryOf(app).get('reader')) as Redis).options.db).toBe(5);
  });
});

function readGroup(reader: Redis): Promise<unknown> {
  return reader.xreadgroup('GROUP', 'group', 'me', 'BLOCK', 0, 'STREAMS', 'stream', '>');
}
