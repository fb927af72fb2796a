import type { Cluster, Redis } from 'ioredis';
import type { ClientLifecycle } from '../../../src/definition/client-lifecycle.js';
import type { ClientDefinition } from '../../../src/index.js';
import { nodeRedisClient, nodeRedisCluster, nodeRedisSentinel } from '../../../src/node-redis/index.js';
import { useVersion, type Version } from '../../node-redis/versions.js';
import { makeCertificate } from '../../support/certificate.js';
import {
  startRedisCluster,
  startRedisSentinels,
  startRedisServer,
  type RedisServer,
} from '../../support/redis-server.js';
import { KIND_NAMES, PATIENCES, REDIS_KINDS, type RedisKindName } from './redis-kinds.js';

/** What the tests of closing need of a client, whatever its library. */
export interface Asked {
  /** Resolves when it is connected, to every node if there are several. */
  ready(): Promise<void>;
  /** Resolves when it has noticed that the server is gone. */
  down(): Promise<void>;
  /** Resolves with the next error that it emits. */
  failed(): Promise<void>;
  connect(): Promise<unknown>;
  set(key: string, value: number): Promise<unknown>;
  get(key: string): Promise<unknown>;
  /** A command that is never answered. */
  block(): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  /** Closes it gracefully, as its user may. */
  quit(): Promise<unknown>;
  /** Closes it by force, as its user may. */
  disconnect(): unknown;
  /** Resolves when it has closed after `quit()` or `destroy()` by its user. */
  ended(): Promise<void>;
  readonly hasEnded: boolean;
}

/** A kind of client and the servers that it talks to. */
export interface Subjects extends AsyncDisposable {
  readonly servers: readonly RedisServer[];
  readonly primaries: readonly RedisServer[];
  /** Options that decide how long a client keeps a command without an answer. A client is closed with each of them. */
  readonly patiences: readonly object[];
  define(patience: object, lifecycle: ClientLifecycle, more?: object): ClientDefinition;
  ask(client: unknown): Asked;
}

const NODE_REDIS_PATIENCES: readonly object[] = [{}, { disableOfflineQueue: true }, { RESP: 2 }, { pingInterval: 50 }];

/** By the name of their column in docs/reliability.md. */
export const SUBJECTS: Readonly<Record<string, () => Promise<Subjects>>> = {
  ...Object.fromEntries(KIND_NAMES.map((kind) => [kind, () => ofIoredis(kind)])),
  ...nodeRedis(6),
  ...nodeRedis(5),
};

async function ofIoredis(kind: RedisKindName): Promise<Subjects> {
  const redis = await REDIS_KINDS[kind]();
  return Object.assign(redis, {
    patiences: PATIENCES,
    ask: (client: unknown) => askIoredis(client as Redis | Cluster),
  });
}

function askIoredis(client: Redis | Cluster): Asked {
  const event = (name: string) => new Promise<void>((resolve) => client.once(name, () => resolve()));
  return {
    async ready() {
      if (client.status !== 'ready') await event('ready');
      // A cluster connects to a node with the first command for it, and only notices the loss of nodes that it is connected to.
      if ('nodes' in client) await Promise.all(client.nodes().map((node) => node.ping()));
    },
    async down() {
      if (client.status !== 'reconnecting') await event('reconnecting');
    },
    failed: () => event('error'),
    connect: () => client.connect(),
    set: (key, value) => client.set(key, value),
    get: (key) => client.get(key),
    block: () => client.blpop('list', 0),
    subscribe: (channel) => client.subscribe(channel),
    quit: () => client.quit(),
    disconnect: () => client.disconnect(),
    ended: () => (client.status === 'end' ? Promise.resolve() : event('end')),
    get hasEnded() {
      return client.status === 'end';
    },
  };
}

function nodeRedis(version: Version): Record<string, () => Promise<Subjects>> {
  const name = `node-redis ${version}`;
  const single = async (secure: boolean): Promise<Subjects> => {
    useVersion(version);
    const certificate = secure ? makeCertificate() : undefined;
    const server = await startRedisServer({ certificate });
    const socket = certificate
      ? { host: server.host, port: server.tlsPort as number, tls: true as const, ca: certificate.cert }
      : { port: server.port };
    return {
      servers: [server],
      primaries: [server],
      patiences: NODE_REDIS_PATIENCES,
      define: (patience, lifecycle) => nodeRedisClient({ socket, ...patience }, lifecycle),
      ask: (client) => askNodeRedis(client as NodeRedis),
      [Symbol.asyncDispose]: () => server.close(),
    };
  };
  return {
    [name]: () => single(false),
    ...(KIND_NAMES.includes('TLS') && { [`${name}, TLS`]: () => single(true) }),
    async [`${name}, Sentinel`]() {
      useVersion(version);
      const group = await startRedisSentinels();
      return {
        servers: [group.primary, group.replica, ...group.sentinels],
        primaries: [group.primary],
        patiences: NODE_REDIS_PATIENCES,
        define: (nodeClientOptions, lifecycle) =>
          nodeRedisSentinel(
            { name: group.name, sentinelRootNodes: group.options.sentinels, nodeClientOptions },
            lifecycle,
          ),
        ask: (client) => askNodeRedis(client as NodeRedis),
        [Symbol.asyncDispose]: () => group.close(),
      };
    },
    async [`${name}, Cluster`]() {
      useVersion(version);
      const cluster = await startRedisCluster({ replicas: true });
      return {
        servers: [...cluster.primaries, ...cluster.replicas],
        primaries: cluster.primaries,
        patiences: NODE_REDIS_PATIENCES,
        define: (defaults, lifecycle) =>
          nodeRedisCluster({ rootNodes: cluster.nodes.map((socket) => ({ socket })), defaults }, lifecycle),
        ask: (client) => askNodeRedis(client as NodeRedis),
        [Symbol.asyncDispose]: () => cluster.close(),
      };
    },
  };
}

/** The part that the three kinds of node-redis clients, and the nodes of a cluster, have in common. */
interface NodeRedis {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  readonly masters?: readonly { readonly client?: NodeRedis }[];
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
  connect(): Promise<unknown>;
  ping(): Promise<unknown>;
  set(key: string, value: number): Promise<unknown>;
  get(key: string): Promise<unknown>;
  blPop(key: string, timeout: number): Promise<unknown>;
  subscribe(channel: string, listener: () => void): Promise<unknown>;
  close(): Promise<unknown>;
  destroy(): unknown;
}

function askNodeRedis(client: NodeRedis): Asked {
  const nodes = () => client.masters?.flatMap((node) => node.client ?? []);
  const event = (names: readonly string[], reached = () => true) =>
    new Promise<void>((resolve) => {
      const look = (): void => {
        if (!reached()) return;
        for (const name of names) client.off(name, look);
        resolve();
      };
      for (const name of names) client.on(name, look);
    });
  return {
    async ready() {
      await client.connect();
      await Promise.all(nodes()?.map((node) => node.ping()) ?? [client.ping()]);
    },
    async down() {
      // A client of Sentinels only emits "error", and still reports that it is ready.
      const isDown = () => (nodes() ? nodes()?.every((node) => !node.isReady) === true : true);
      await event(['error', 'node-error'], isDown);
    },
    failed: () => event(['error', 'node-error']),
    connect: () => client.connect(),
    set: (key, value) => client.set(key, value),
    get: (key) => client.get(key),
    block: () => client.blPop('list', 0),
    subscribe: (channel) => client.subscribe(channel, () => {}),
    quit: () => client.close(),
    disconnect: () => Promise.resolve(client.destroy()).catch(() => {}),
    ended: () => Promise.resolve(),
    get hasEnded() {
      return !client.isOpen && (nodes() ?? [client]).every((node) => !node.isReady);
    },
  };
}
