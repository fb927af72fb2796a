import { describe, expect, expectTypeOf, it } from 'vitest';
import type { RedisClientType, RedisClusterType, RedisSentinelType } from 'redis';
import { ClientsModule, type ClientDefinition, type ClientsOf } from '../../src/index.js';
import {
  InjectRedis,
  REDIS_CLIENT,
  nodeRedisClient,
  nodeRedisCluster,
  nodeRedisSentinel,
} from '../../src/node-redis/index.js';
import * as redis from '../../src/redis/index.js';
import { inspect } from 'node:util';
import { bootApp, clientsOf, registryOf, rejection, thrown } from '../support/boot-app.js';
import { titled } from '../support/titled.js';

const URL = 'redis://localhost:6379';
const NODE = { socket: { host: 'redis-1', port: 6379 } };
const SENTINEL = { host: 'sentinel-1', port: 26_379 };
const provider = { type: 'async-credentials-provider', credentials: async () => ({ password: 'pw' }) };

/** What `forRoot` says of it, past what every message begins with. */
function problemOf(definition: ClientDefinition): string {
  const error = thrown(() => ClientsModule.forRoot({ clients: { redis: definition } }));
  expect(error.code).toBe('CLIENTS_INVALID_OPTIONS');
  return error.message;
}

describe('the options of nodeRedisClient', () => {
  it.each(
    titled<[object | string, string]>([
      [{}, 'nothing says where the server is; give "url", or "host", "port" or "path" under "socket"'],
      ['localhost:6379', '"url" must be a string that starts with redis:// or rediss://'],
      ['http://localhost', '"url" must be a string that starts with redis:// or rediss://'],
      ['redis://h:99999', '"url" must have a port from 1 to 65535'],
      ['redis://u:p%ss@h', '"url" has a "%" in its user name or password that begins no percent-encoded character'],
      ['redis://u:p#w@h', '"url" is not a valid URL; percent-encode special characters'],
      ['redis://u:12#w@h', '"url" is not a valid URL; percent-encode special characters'],
      ['redis://u:12/34@h', '"url" is not a valid URL; percent-encode special characters'],
      ['redis://u:12?w@h', '"url" is not a valid URL; percent-encode special characters'],
      ['redis://h:first', '"url" must have a port from 1 to 65535'],
      ['redis://:6379', '"url" names no host'],
      ['redis://h/first', '"url" must end with the number of a database'],
      [{ url: undefined }, 'nothing says where the server is: the options say url: undefined; is a variable not set?'],
      ['', '"url" is empty; perhaps a variable is not set'],
      [{ url: URL, socket: { host: 'other' } }, '"url" and "host" of "socket" both say where the server is'],
      [{ url: URL, socket: { tls: true } }, '"url" and "tls" of "socket" contradict each other'],
      [{ url: 'redis://:pw@h', password: 'pw' }, '"url" and "password" say the same'],
      [{ url: 'redis://:pw@h', credentialsProvider: provider }, 'both say how to log in'],
      [{ url: URL, password: 'pw', credentialsProvider: provider }, 'both say how to log in'],
      [{ host: 'localhost' }, '"host" belongs under "socket"'],
      [{ url: URL, tls: {} }, '"tls" belongs under "socket"'],
      [{ url: URL, db: 1 }, 'node-redis calls it "database"'],
      [{ url: URL, legacyMode: true }, 'call legacy() on the client'],
      [{ url: URL, disableOfflineQueue: 'true' }, '"disableOfflineQueue" must be true or false'],
      [{ url: URL, database: '1' }, '"database" must be a whole number from 0'],
      [{ url: URL, RESP: 4 }, '"RESP" must be 2 or 3'],
      [{ url: URL, socket: null }, '"socket" must be an object'],
      [{ socket: { port: '6379' } }, 'in "socket", "port" must be a whole number from 1 to 65535'],
      [{ socket: { host: '' } }, 'in "socket", "host" must be a string, and not an empty one'],
      [{ socket: { host: 'h', tls: {} } }, 'in "socket", "tls" must be true or false'],
      [{ socket: { host: 'h', path: '/s' } }, 'both say where the server is'],
      [{ socket: { host: 'h', reconnectStrategy: true } }, 'in "socket", "reconnectStrategy" must be milliseconds'],
      [{ socket: { host: 'h', reconnectStrategy: Infinity } }, '"reconnectStrategy" must be milliseconds'],
      [{ url: URL, pingInterval: Infinity }, '"pingInterval" must be a number of milliseconds from 0 to 2147483647'],
      [{ rootNodes: [NODE] }, 'declare it with nodeRedisCluster()'],
      [{ sentinelRootNodes: [SENTINEL] }, 'declare it with nodeRedisSentinel()'],
    ]),
  )('are refused: %s', (_, options, problem) => {
    const message = problemOf(nodeRedisClient(options as string));
    expect(message).toContain(problem);
    expect(message).toContain('client "redis"');
    expect(message).not.toContain('pw');
  });

  it.each(
    titled<[object | string]>([
      [URL],
      ['rediss://app:p%40ss@cache.internal:6380/1'],
      [{ url: 'rediss://h', socket: { tls: true, ca: '' } }],
      [{ socket: { path: '/tmp/redis.sock' } }],
      [{ url: URL, credentialsProvider: provider, disableOfflineQueue: true }],
    ]),
  )('are accepted: %s', (_, options) => {
    const definition = nodeRedisClient(options as string);
    expect(() => ClientsModule.forRoot({ clients: { redis: definition } })).not.toThrow();
  });

  it('are not changed', async () => {
    const socket = { host: 'localhost', port: 1 };
    const options = { socket, password: 'pw' };
    const app = await bootApp({
      imports: [clientsOf({ redis: nodeRedisClient(options, { eager: true, connect: 'use' }) })],
    });
    expect(options).toEqual({ socket: { host: 'localhost', port: 1 }, password: 'pw' });
    expect(options.socket).toBe(socket);
    await app.close();
  });

  it('may come from a factory, and are validated when the client is built', async () => {
    const factory = nodeRedisClient({ useFactory: () => ({ url: 'redis://h:99999' }) });
    const app = await bootApp({ imports: [clientsOf({ redis: factory })] });
    const failure = await rejection(registryOf(app).get('redis'));
    expect(failure).toMatchObject({ code: 'CLIENTS_INVALID_OPTIONS' });
    expect(failure.message).toContain('must have a port from 1 to 65535');
  });

  it('keep their password out of errors and status', async () => {
    const password = 'hunter2-Secret';
    const definition = nodeRedisClient(`redis://app:${password}@127.0.0.1:1`, { eager: true });
    const app = await bootApp({ imports: [clientsOf({ redis: definition })] });
    const registry = registryOf(app);
    const { error } = (await registry.check('redis')) as { error?: object };
    expect(error).toBeDefined();
    expect(inspect([error, registry.status()], { depth: 10 })).not.toContain(password);
    await app.close();
  });
});

describe('the options of nodeRedisCluster', () => {
  it.each(
    titled<[object, string]>([
      [{}, '"rootNodes" must be an array of { url } or { socket }, and not an empty one'],
      [{ rootNodes: [] }, '"rootNodes" must be an array'],
      [{ nodes: [NODE] }, '"nodes" is an option of ioredis'],
      [{ url: URL, rootNodes: [NODE] }, '"url" is for one connection'],
      [{ rootNodes: [URL] }, '"rootNodes[0]" must be { url } or { socket: { host, port } }'],
      [{ rootNodes: [NODE, {}] }, '"rootNodes[1]" says neither "url" nor'],
      [{ rootNodes: [{ url: 'redis://h:0x' }] }, '"rootNodes[0]" is wrong: "url" must have a port'],
      [{ rootNodes: [{ host: 'h' }] }, '"rootNodes[0]" is wrong: "host" belongs under "socket"'],
      [{ rootNodes: [{ url: 'rediss://h' }] }, 'give defaults: { socket: { tls: true } } as well'],
      [{ rootNodes: [{ url: 'redis://:pw@h' }] }, 'give username and password under "defaults"'],
      [{ rootNodes: [NODE], defaults: { pingInterval: -1 } }, 'in "defaults", "pingInterval" must be'],
      [{ rootNodes: [NODE], useReplicas: 1 }, '"useReplicas" must be true or false'],
    ]),
  )('are refused: %s', (_, options, problem) => {
    const message = problemOf(nodeRedisCluster(options as never));
    expect(message).toContain(problem);
    expect(message).not.toContain('pw');
  });
});

describe('the options of nodeRedisSentinel', () => {
  it.each(
    titled<[object, string]>([
      [{}, '"name" is missing'],
      [{ name: 'main' }, '"sentinelRootNodes" must be an array of { host, port }'],
      [{ name: 'main', sentinels: [SENTINEL] }, '"sentinels" is an option of ioredis'],
      [{ name: 'main', sentinelRootNodes: [{ host: 'h' }] }, '"sentinelRootNodes[0]" must be { host, port }'],
      [{ name: '', sentinelRootNodes: [SENTINEL] }, '"name" must be a string'],
      [
        { name: 'main', sentinelRootNodes: [SENTINEL], nodeClientOptions: { url: URL } },
        'in "nodeClientOptions", "url" has no place',
      ],
      [{ name: 'main', sentinelRootNodes: [SENTINEL], password: 'pw' }, '"password" is for one connection'],
    ]),
  )('are refused: %s', (_, options, problem) => {
    expect(problemOf(nodeRedisSentinel(options as never))).toContain(problem);
  });
});

describe('nestjs-clients/node-redis', () => {
  it('has the decorator and the token of nestjs-clients/redis', () => {
    expect(InjectRedis).toBe(redis.InjectRedis);
    expect(REDIS_CLIENT).toBe(redis.REDIS_CLIENT);
  });

  it('infers the types that node-redis names', () => {
    const clients = {
      redis: nodeRedisClient(URL),
      factory: nodeRedisClient({ useFactory: () => ({ url: URL }) }),
      cluster: nodeRedisCluster({ rootNodes: [NODE] }),
      sentinel: nodeRedisSentinel({ name: 'main', sentinelRootNodes: [SENTINEL] }),
      second: nodeRedisClient({ url: URL, RESP: 2 }),
    };
    type Clients = ClientsOf<typeof clients>;
    expectTypeOf<Clients['redis']>().toEqualTypeOf<RedisClientType>();
    expectTypeOf<Clients['factory']>().toEqualTypeOf<RedisClientType>();
    expectTypeOf<Clients['cluster']>().toEqualTypeOf<RedisClusterType>();
    expectTypeOf<Clients['sentinel']>().toEqualTypeOf<RedisSentinelType>();
    expectTypeOf<ReturnType<Clients['second']['hGetAll']>>().resolves.toExtend<Record<string, string>>();
    // @ts-expect-error -- a misspelt option
    nodeRedisClient({ url: URL, pingIntervall: 1 });
    expect(Object.values(clients).map(({ kind }) => kind)).toEqual([
      'node-redis',
      'node-redis',
      'node-redis-cluster',
      'node-redis-sentinel',
      'node-redis',
    ]);
  });
});
