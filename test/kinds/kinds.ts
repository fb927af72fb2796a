/**
 * How a kind of client is added.
 *
 * A kind is a way to declare a client: a function such as `redisClient()` that returns a `ClientDefinition`. Whatever its SDK,
 * it keeps the same promises: it is built once and only when injected, building opens no connection, it closes in order and
 * in time, it never shows a password, and so on. `kinds.spec.ts` tests each promise against each row of the table `KINDS`
 * at the end of this file. To add a kind, write its folder under `src` and add one row:
 *
 * - what it is: its name, the SDK's own class, and how a module declares it, as text that a process of its own runs in order to
 *   see that nothing is loaded;
 * - what it can do: whether it connects after bootstrap or with the first command, whether it tells of its connection, whether
 *   it has a health check, whether its options may come from a factory and from `forRootAsync`;
 * - how its server is started, and what a test does with it: declare a client, do one round trip, count the connections that the
 *   server sees, freeze the server, break the connection and mend it. Start a real server, or one that speaks the protocol.
 *
 * The client under test is always named `main`; what it is built on, if anything, is declared beside it. Give the client a
 * password or another secret, and let it be `given.password`: one test looks for it everywhere. No test needs a change. A promise
 * that the new kind does not keep is a fault of the kind, and is mended in its folder.
 *
 * Then add what is particular to the kind in test files of its own: its options, its errors, how its SDK hangs.
 */
import { GetItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { Cluster, Redis } from 'ioredis';
import { RedisClient, RedisCluster, RedisSentinel } from 'redis';
import { awsClient } from '../../src/aws/index.js';
import { dynamoDBClient, dynamoDBDocumentClient } from '../../src/dynamodb/index.js';
import {
  defineClient,
  keyedClients,
  type ClientDefinition,
  type ClientDefinitions,
  type ClientLifecycle,
  type KeyedClients,
} from '../../src/index.js';
import { nodeRedisClient, nodeRedisCluster, nodeRedisSentinel } from '../../src/node-redis/index.js';
import { redisClient, redisCluster, redisDuplicate } from '../../src/redis/index.js';
import { ClientPool } from '../../src/registry/client-pool.js';
import { startAwsServer } from '../support/aws-server.js';
import { startRedisCluster, startRedisSentinels, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { LineClient, startLineServer } from './line-client.js';

/** The secret of every client of the table. */
export const CANARY = 'canary-0f-the-kinds';

/** Where a client's options are said: in the declaration, in its `useFactory`, or in the factory of `forRootAsync`. */
export type Way = 'declaration' | 'useFactory' | 'forRootAsync';

/** How a test wants the client to be declared. */
export interface Given {
  readonly lifecycle?: ClientLifecycle;
  /** In place of the check that the kind has. */
  readonly check?: ((client: unknown) => unknown) | undefined;
  /** Default {@link CANARY}, which is right. */
  readonly password?: string;
  /** Default `'declaration'`. */
  readonly way?: Way;
}

/** A server that is running, and what a test does with it and its clients. */
export interface Service extends AsyncDisposable {
  /** A client named `main`, and those that it is built on, all with that lifecycle. */
  declare(given?: Given): ClientDefinitions;
  /** What the factory of `forRootAsync` returns for `main`, if the kind takes it. */
  readonly options?: object;
  /** Asks the server something that leaves nothing behind. The first time it connects, if need be. */
  roundTrip(client: unknown): Promise<unknown>;
  /** Keeps the client in use, if it is checked only then. */
  hold?(client: unknown): Promise<{ release(): unknown }>;
  /** Ends a client that the application does not own. Default the driver's `destroy`. */
  end?(client: unknown): unknown;
  /** Connections of clients that are open now, as the server sees them. */
  connections(): Promise<number>;
  /** Connections stay open and nothing is answered, until `thaw()`. */
  freeze(): void;
  thaw(): void;
  /** Cuts every connection, and refuses new ones or their login until `mend()`. */
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/** A kind of client. */
export interface Kind {
  readonly name: string;
  /** What `status()` calls it. */
  readonly kind: string;
  /** Whether it is an instance of the SDK's own class. */
  isOfSdk(client: unknown): boolean;
  /** The folder of `src` that exports it, and a declaration: an expression in which the export can be named. */
  readonly from: string;
  readonly declaration: string;
  /** Its server is a redis-server, which not every machine has. */
  readonly needsRedis: boolean;
  readonly connects: 'after bootstrap' | 'with the first command';
  /** It tells when its connection is lost and regained. */
  readonly isWatched: boolean;
  /** It has a check of its own. */
  readonly isChecked: boolean;
  readonly ways: readonly Way[];
  start(): Promise<Service>;
}

/** The options as the kind's function takes them. */
function say<O extends object>(options: O, way: Way = 'declaration'): O | { useFactory: () => O } | undefined {
  if (way === 'forRootAsync') return undefined;
  return way === 'useFactory' ? { useFactory: () => options } : options;
}

/** The lifecycle options, with the check that replaces the kind's own, if any. */
function manage({ lifecycle, check }: Given): ClientLifecycle & { check?: (client: unknown) => unknown } {
  return { ...lifecycle, ...(check && { check }) };
}

type Faults = Pick<Service, 'connections' | 'freeze' | 'thaw' | 'cut' | 'mend'>;

const USER = 'app';
const login = ({ password = CANARY }: Given = {}) => ({ username: USER, password });

/** Clients log in as a user of their own; what a test asks the server meanwhile goes by the default user. */
async function faultsOfRedis(servers: readonly RedisServer[]): Promise<Faults> {
  const all = (...command: string[]) => Promise.all(servers.map((server) => server.command(...command)));
  await all('ACL', 'SETUSER', USER, 'on', `>${CANARY}`, '~*', '&*', '+@all');
  return {
    async connections() {
      const counts = await Promise.all(servers.map((server) => server.clientCount()));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    freeze: () => servers.forEach((server) => server.freeze()),
    thaw: () => servers.forEach((server) => server.thaw()),
    async cut() {
      await all('ACL', 'SETUSER', USER, 'off');
      await all('CLIENT', 'KILL', 'USER', USER);
    },
    mend: async () => void (await all('ACL', 'SETUSER', USER, 'on')),
  };
}

/** Clients go through a proxy, which fails on command. */
function faultsOfProxy(proxy: TcpProxy): Faults {
  return {
    connections: async () => proxy.connections,
    freeze: () => proxy.freeze(),
    thaw: () => proxy.thaw(),
    cut: () => proxy.refuse(),
    mend: () => proxy.accept(),
  };
}

const RETRY_INTERVAL = 20;
const SHORT_RETRIES = { retryStrategy: () => RETRY_INTERVAL, maxRetriesPerRequest: 1 };
const pingRedis = (client: unknown): Promise<unknown> => (client as Redis).get('key');

async function startForAws(
  declare: (options: AwsOptions, given: Given) => ClientDefinitions,
  rest: Pick<Service, 'roundTrip'> & { isSupplied: boolean },
): Promise<Service> {
  const server = await startAwsServer();
  const proxy = await startTcpProxy(server);
  const optionsOf = ({ password = CANARY }: Given = {}): AwsOptions => ({
    endpoint: `http://${proxy.host}:${proxy.port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: `${password}-id`, secretAccessKey: password, sessionToken: `${password}-token` },
    maxAttempts: 1,
  });
  const { isSupplied, roundTrip } = rest;
  return {
    ...faultsOfProxy(proxy),
    ...(isSupplied && { options: optionsOf() }),
    declare: (given = {}) => declare(optionsOf(given), given),
    roundTrip,
    async [Symbol.asyncDispose]() {
      await proxy.close();
      await server.close();
    },
  };
}

interface AwsOptions {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string };
  maxAttempts: number;
}

const ALL_WAYS: readonly Way[] = ['declaration', 'useFactory', 'forRootAsync'];
const QueueUrl = 'https://sqs.eu-west-1.amazonaws.com/1/jobs';

/** What differs from one client of Redis to another: how its server is started, and its options. */
interface RedisRow<S extends AsyncClosable, O extends object> extends Pick<
  Kind,
  'name' | 'isOfSdk' | 'from' | 'declaration'
> {
  startServer(): Promise<S>;
  serversOf(started: S): readonly RedisServer[];
  optionsOf(started: S, given?: Given): O;
  define(options: O | { useFactory: () => O } | undefined, lifecycle: ClientLifecycle): ClientDefinition;
}

interface AsyncClosable {
  close(): Promise<void>;
}

/** A kind whose server is a redis-server, or several, and whose options may come from anywhere. */
function redisKind<S extends AsyncClosable, O extends object>(row: RedisRow<S, O>): Kind {
  const { name, isOfSdk, from, declaration } = row;
  return {
    name,
    kind: name,
    isOfSdk,
    from,
    declaration,
    needsRedis: true,
    connects: 'after bootstrap',
    isWatched: true,
    isChecked: true,
    ways: ALL_WAYS,
    async start() {
      const started = await row.startServer();
      return {
        ...(await faultsOfRedis(row.serversOf(started))),
        options: row.optionsOf(started),
        declare: (given = {}) => ({ main: row.define(say(row.optionsOf(started, given), given.way), manage(given)) }),
        roundTrip: pingRedis,
        [Symbol.asyncDispose]: () => started.close(),
      };
    },
  };
}

/** Every kind of client, one row each. Those whose servers take longest come last: others are tested meanwhile. */
export const KINDS: readonly Kind[] = [
  {
    name: 'custom',
    kind: 'custom',
    isOfSdk: (client) => client instanceof LineClient,
    from: 'index',
    declaration: 'defineClient({ create: () => import("ioredis"), connect: (client) => client.connect() })',
    needsRedis: false,
    connects: 'after bootstrap',
    isWatched: true,
    isChecked: true,
    ways: ['declaration'],
    async start() {
      const server = await startLineServer(CANARY);
      const proxy = await startTcpProxy(server);
      return {
        ...faultsOfProxy(proxy),
        declare: ({ password = CANARY, lifecycle, check } = {}) => ({
          main: defineClient<LineClient>(
            {
              create: () => new LineClient(`line://${USER}:${password}@${proxy.host}:${proxy.port}`),
              connect: (client) => client.connect(),
              check: check ?? ((client) => client.ping()),
              close: (client) => client.close(),
              destroy: (client) => client.destroy(),
              onError: (client, report) => client.on('error', report),
              onConnection(client, report) {
                client.on('up', () => report('connected'));
                client.on('down', (reason) => report('disconnected', reason));
              },
            },
            lifecycle,
          ),
        }),
        roundTrip: (client) => (client as LineClient).ask('hello'),
        async [Symbol.asyncDispose]() {
          await proxy.close();
          await server[Symbol.asyncDispose]();
        },
      };
    },
  },
  {
    name: 'aws',
    kind: 'aws',
    isOfSdk: (client) => client instanceof SQSClient,
    from: 'aws/index',
    declaration: 'awsClient(async () => (await import("@aws-sdk/client-sqs")).SQSClient, { region: "eu-west-1" })',
    needsRedis: false,
    connects: 'with the first command',
    isWatched: false,
    isChecked: false,
    ways: ALL_WAYS,
    start: () =>
      startForAws(
        (options, given) => ({
          main: awsClient(
            async () => SQSClient,
            say({ ...options, useQueueUrlAsEndpoint: false }, given.way),
            manage(given),
          ),
        }),
        {
          isSupplied: true,
          roundTrip: (client) => (client as SQSClient).send(new SendMessageCommand({ QueueUrl, MessageBody: 'hello' })),
        },
      ),
  },
  {
    name: 'dynamodb',
    kind: 'dynamodb',
    isOfSdk: (client) => client instanceof DynamoDBClient,
    from: 'dynamodb/index',
    declaration: 'dynamoDBClient({ region: "eu-west-1" })',
    needsRedis: false,
    connects: 'with the first command',
    isWatched: false,
    isChecked: true,
    ways: ALL_WAYS,
    start: () =>
      startForAws((options, given) => ({ main: dynamoDBClient(say(options, given.way), manage(given)) }), {
        isSupplied: true,
        roundTrip: (client) =>
          (client as DynamoDBClient).send(new GetItemCommand({ TableName: 'links', Key: { id: { S: 'a' } } })),
      }),
  },
  {
    name: 'dynamodb-document',
    kind: 'dynamodb-document',
    isOfSdk: (client) => client instanceof DynamoDBDocumentClient,
    from: 'dynamodb/index',
    declaration: 'dynamoDBDocumentClient()',
    needsRedis: false,
    connects: 'with the first command',
    isWatched: false,
    isChecked: true,
    ways: ['declaration'],
    start: () =>
      startForAws(
        (options, given) => ({
          base: dynamoDBClient(options, given.lifecycle),
          main: dynamoDBDocumentClient({ from: 'base' }, manage(given)),
        }),
        {
          isSupplied: false,
          roundTrip: (client) =>
            (client as DynamoDBDocumentClient).send(new GetCommand({ TableName: 'links', Key: { id: 'a' } })),
        },
      ),
  },
  redisKind({
    name: 'redis',
    isOfSdk: (client) => client instanceof Redis,
    from: 'redis/index',
    declaration: 'redisClient("redis://localhost:6379")',
    startServer: startRedisServer,
    serversOf: (server) => [server],
    optionsOf: ({ port }, given) => ({ port, ...login(given), ...SHORT_RETRIES }),
    define: redisClient,
  }),
  {
    name: 'redis duplicate',
    kind: 'redis',
    isOfSdk: (client) => client instanceof Redis,
    from: 'redis/index',
    declaration: 'redisDuplicate()',
    needsRedis: true,
    connects: 'after bootstrap',
    isWatched: true,
    isChecked: true,
    ways: ['declaration'],
    async start() {
      const server = await startRedisServer();
      return {
        ...(await faultsOfRedis([server])),
        declare: (given = {}) => ({
          base: redisClient({ port: server.port, ...login(given), ...SHORT_RETRIES }, given.lifecycle),
          main: redisDuplicate({ from: 'base' }, manage(given)),
        }),
        roundTrip: pingRedis,
        [Symbol.asyncDispose]: () => server.close(),
      };
    },
  },
  {
    name: 'keyed',
    kind: 'keyed',
    isOfSdk: (client) => client instanceof ClientPool,
    from: 'index',
    declaration: 'keyedClients({ define: (key) => redis.redisClient(key) })',
    needsRedis: true,
    connects: 'with the first command',
    isWatched: false, // each of its clients is
    isChecked: true,
    ways: ['declaration'],
    async start() {
      const server = await startRedisServer();
      const key = 'eu';
      return {
        ...(await faultsOfRedis([server])),
        declare({ lifecycle = {}, check, ...given } = {}) {
          const { connect, waitUntilReady, createTimeout, closeTimeout } = lifecycle;
          const own = Object.entries({ connect, waitUntilReady, createTimeout, closeTimeout });
          const ofMember = Object.fromEntries(own.filter(([, value]) => value !== undefined));
          // A test's check asks whatever is injected.
          const one = (client: Redis) => ({ use: (_: string, work: (used: Redis) => unknown) => work(client) });
          return {
            main: keyedClients(
              {
                define: () =>
                  redisClient(
                    { port: server.port, ...login(given), ...SHORT_RETRIES },
                    { ...ofMember, ...(check && { check: (client) => check(one(client)) }) },
                  ),
              },
              lifecycle,
            ),
          };
        },
        roundTrip: (client) => (client as KeyedClients<Redis>).use(key, pingRedis),
        hold: (client) => (client as KeyedClients<Redis>).lease(key),
        end: (client) => (client as KeyedClients<Redis>).evict(key),
        [Symbol.asyncDispose]: () => server.close(),
      };
    },
  },
  redisKind({
    name: 'node-redis',
    isOfSdk: (client) => client instanceof RedisClient,
    from: 'node-redis/index',
    declaration: 'nodeRedisClient("redis://localhost:6379")',
    startServer: startRedisServer,
    serversOf: (server) => [server],
    optionsOf: ({ port }, given) => ({ ...login(given), socket: { port, reconnectStrategy: RETRY_INTERVAL } }),
    define: nodeRedisClient,
  }),
  redisKind({
    name: 'node-redis-sentinel',
    isOfSdk: (client) => client instanceof RedisSentinel,
    from: 'node-redis/index',
    declaration: 'nodeRedisSentinel({ name: "main", sentinelRootNodes: [{ host: "localhost", port: 26379 }] })',
    startServer: startRedisSentinels,
    serversOf: ({ primary, replica, sentinels }) => [primary, replica, ...sentinels],
    optionsOf: ({ name, options }, given) => ({
      name,
      sentinelRootNodes: options.sentinels,
      nodeClientOptions: { ...login(given), socket: { reconnectStrategy: RETRY_INTERVAL } },
      sentinelClientOptions: login(given),
    }),
    define: nodeRedisSentinel,
  }),
  redisKind({
    name: 'redis-cluster',
    isOfSdk: (client) => client instanceof Cluster,
    from: 'redis/index',
    declaration: 'redisCluster({ nodes: ["redis://localhost:6379"] })',
    startServer: startRedisCluster,
    serversOf: ({ primaries }) => primaries,
    optionsOf: ({ nodes }, given) => ({
      nodes,
      clusterRetryStrategy: () => RETRY_INTERVAL,
      redisOptions: { ...login(given), maxRetriesPerRequest: 1 },
    }),
    define: redisCluster,
  }),
  redisKind({
    name: 'node-redis-cluster',
    isOfSdk: (client) => client instanceof RedisCluster,
    from: 'node-redis/index',
    declaration: 'nodeRedisCluster({ rootNodes: [{ url: "redis://localhost:6379" }] })',
    startServer: startRedisCluster,
    serversOf: ({ primaries }) => primaries,
    optionsOf: ({ nodes }, given) => ({
      rootNodes: nodes.map((socket) => ({ socket })),
      defaults: { ...login(given), socket: { reconnectStrategy: RETRY_INTERVAL } },
    }),
    define: nodeRedisCluster,
  }),
];
