import type { Cluster, Redis } from 'ioredis';
import type { ClientLifecycle } from '../../../src/definition/client-lifecycle.js';
import type { ClientDefinition } from '../../../src/index.js';
import {
  redisClient,
  redisCluster,
  type RedisClientOptions,
  type RedisClusterOptions,
} from '../../../src/redis/index.js';
import { certificates, makeCertificate } from '../../support/certificate.js';
import {
  startRedisCluster,
  startRedisSentinels,
  startRedisServer,
  type RedisServer,
} from '../../support/redis-server.js';

/** The options that decide how long ioredis keeps a command without an answer. */
export interface Patience {
  readonly maxRetriesPerRequest?: number | null;
  readonly enableOfflineQueue: boolean;
}

export const PATIENCES: readonly Patience[] = [undefined, 0, 1, null].flatMap((maxRetriesPerRequest) =>
  [true, false].map((enableOfflineQueue) => ({
    ...(maxRetriesPerRequest !== undefined && { maxRetriesPerRequest }),
    enableOfflineQueue,
  })),
);

export interface RedisKind extends AsyncDisposable {
  /** Every process: servers, replicas, Sentinels. */
  readonly servers: readonly RedisServer[];
  /** The servers that hold the data, one for each part of it. */
  readonly primaries: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];
  /** Its addresses, as plain data. */
  readonly options: RedisClientOptions | RedisClusterOptions;
  define(patience: Partial<Patience>, lifecycle: ClientLifecycle, more?: object): ClientDefinition<Redis | Cluster>;
}

/** Starts each way of running Redis that a service may use. */
export const REDIS_KINDS = {
  async standalone(): Promise<RedisKind> {
    const server = await startRedisServer();
    return {
      servers: [server],
      primaries: [server],
      replicas: [],
      options: { port: server.port },
      define: (patience, lifecycle, more) => redisClient({ port: server.port, ...patience, ...more }, lifecycle),
      [Symbol.asyncDispose]: () => server.close(),
    };
  },

  async TLS(): Promise<RedisKind> {
    const certificate = makeCertificate();
    const server = await startRedisServer({ certificate });
    const options = { host: server.host, port: server.tlsPort as number, tls: { ca: certificate.cert } };
    return {
      servers: [server],
      primaries: [server],
      replicas: [],
      options,
      define: (patience, lifecycle, more) => redisClient({ ...options, ...patience, ...more }, lifecycle),
      [Symbol.asyncDispose]: () => server.close(),
    };
  },

  async Sentinel(): Promise<RedisKind> {
    const group = await startRedisSentinels();
    return {
      servers: [group.primary, group.replica, ...group.sentinels],
      primaries: [group.primary],
      replicas: [group.replica],
      options: group.options,
      define: (patience, lifecycle, more) => redisClient({ ...group.options, ...patience, ...more }, lifecycle),
      [Symbol.asyncDispose]: () => group.close(),
    };
  },

  async Cluster(): Promise<RedisKind> {
    const cluster = await startRedisCluster({ replicas: true });
    return {
      servers: [...cluster.primaries, ...cluster.replicas],
      primaries: cluster.primaries,
      replicas: cluster.replicas,
      options: { nodes: cluster.nodes },
      define: ({ maxRetriesPerRequest, enableOfflineQueue = true }, lifecycle, more) =>
        redisCluster(
          {
            nodes: cluster.nodes,
            enableOfflineQueue,
            redisOptions: { ...(maxRetriesPerRequest !== undefined && { maxRetriesPerRequest }) },
            ...more,
          },
          lifecycle,
        ),
      [Symbol.asyncDispose]: () => cluster.close(),
    };
  },
} satisfies Record<string, () => Promise<RedisKind>>;

export type RedisKindName = keyof typeof REDIS_KINDS;
/** Those that this machine can start; all of them in CI. */
export const KIND_NAMES = (Object.keys(REDIS_KINDS) as RedisKindName[]).filter(
  (kind) => kind !== 'TLS' || certificates.available || process.env['CI'],
);
