// oxlint-disable typescript/no-generated-empty-object-type -- it is what node-redis means by "no modules"
import type {
  RedisClusterOptions,
  RedisClusterType,
  RedisDefaultModules,
  RedisFunctions,
  RedisModules,
  RedisScripts,
  RespVersions,
  TypeMapping,
} from 'redis';
import type { ClientDefinition } from '../definition/client-definition.js';
import type { ClientOptionsFactory, KindLifecycle } from '../definition/configurable-client.js';
import { CallInterceptor } from './call-interceptor.js';
import { Connection } from './connection.js';
import { declareNodeRedis } from './declare-node-redis.js';
import { findNodeRedisClusterProblem } from './find-node-redis-problem.js';
import { CLOSINGS, PUB_SUB, replaceDuplicate, type ClusterInternals, type Internals } from './internals.js';
import { isAwaited, reportsPending } from './pending-commands.js';
import { ping } from './probe.js';
import type { Sockets } from './sockets.js';

/** The methods through which commands go. Pipelines, and whoever asks for a node's client, call those of the slots. */
const COMMANDS = ['_executeWithPolicies', '_execute', ...PUB_SUB];
const SLOT_COMMANDS = ['getClient', 'getClientAndSlotNumber', 'getClientForKey'];

/**
 * node-redis's own cluster options, without those that change the client's type: `modules`, `functions`, `scripts`, `RESP` and
 * `commandOptions`. `nodeRedisCluster` takes those too, and infers the type.
 *
 * @example
 * const options: NodeRedisClusterOptions = { rootNodes: [{ url: 'redis://redis-1.internal:6379' }], useReplicas: true };
 */
export type NodeRedisClusterOptions = Omit<
  RedisClusterOptions,
  'modules' | 'functions' | 'scripts' | 'RESP' | 'commandOptions'
>;

/**
 * Declares a client of a Redis Cluster: what node-redis's `createCluster` returns.
 *
 * Takes node-redis's cluster options, or `{ inject, useFactory }` that returns them. Without any, they come from the
 * factory of `forRootAsync`. User name, password and TLS for all nodes go under `defaults`.
 *
 * The client connects after bootstrap, or with the first command, so you need not call `connect()`: that waits for the same
 * connection, and rejects with `CLIENTS_CLOSED` once the client closes. After bootstrap it tries for ever: again after 100 ms,
 * then after twice as long each time, at most 2 s. A command that comes while no node answers rejects at once.
 *
 * At shutdown every command is answered before the connections end. If a node cannot be reached, commands queued for it wait
 * until `closeTimeout` and then reject. A client that you create with `duplicate()` is not closed for you.
 *
 * The health check sends a PING to each primary, and fails at once while one of them is not connected. With
 * `minimizeConnections` it leaves out those that no command has needed yet. If a primary refuses only the PING, it is up.
 * `check` beside the lifecycle options replaces this check. The injected type is node-redis's `RedisClusterType`.
 *
 * Wrong options make `forRoot` throw `CLIENTS_INVALID_OPTIONS`. Injecting the client without the package `redis` fails
 * with `CLIENTS_MISSING_PACKAGE`.
 *
 * @example
 * ClientsModule.forRoot({
 *   clients: { redis: nodeRedisCluster({ rootNodes: [{ url: 'redis://redis-1.internal:6379' }] }) },
 * });
 */
export function nodeRedisCluster(
  options?: NodeRedisClusterOptions | ClientOptionsFactory<NodeRedisClusterOptions>,
  lifecycle?: KindLifecycle<RedisClusterType>,
): ClientDefinition<RedisClusterType, NodeRedisClusterOptions>;
export function nodeRedisCluster<
  RESP extends RespVersions,
  M extends RedisModules = Record<never, never>,
  F extends RedisFunctions = Record<never, never>,
  S extends RedisScripts = Record<never, never>,
  TYPE_MAPPING extends TypeMapping = Record<never, never>,
>(
  options:
    | RedisClusterOptions<M, F, S, RESP, TYPE_MAPPING>
    | ClientOptionsFactory<RedisClusterOptions<M, F, S, RESP, TYPE_MAPPING>>,
  lifecycle?: KindLifecycle<RedisClusterType<RedisDefaultModules & M, F, S, RESP, TYPE_MAPPING>>,
): ClientDefinition<
  RedisClusterType<RedisDefaultModules & M, F, S, RESP, TYPE_MAPPING>,
  RedisClusterOptions<M, F, S, RESP, TYPE_MAPPING>
>;
export function nodeRedisCluster(
  // The generic types of node-redis are too much to compare.
  options?: object,
  lifecycle?: KindLifecycle<never>,
): object {
  return declareNodeRedis<RedisClusterType, NodeRedisClusterOptions>(
    {
      kind: 'node-redis-cluster',
      findProblem: findNodeRedisClusterProblem,
      create({ createCluster }, given, name, sockets) {
        const defaults = { ...given.defaults, socket: sockets.options(given.defaults?.socket) };
        const cluster = createCluster({ ...given, defaults } as RedisClusterOptions) as unknown as RedisClusterType;
        manage(cluster, name, sockets, given);
        return cluster;
      },
    },
    options as NodeRedisClusterOptions | ClientOptionsFactory<NodeRedisClusterOptions> | undefined,
    lifecycle,
  );
}

function manage(created: object, name: string, sockets: Sockets, { defaults }: NodeRedisClusterOptions): void {
  const { _self: cluster } = created as ClusterInternals;
  const { _slots: slots } = cluster;
  const commands = new CallInterceptor(
    [
      [cluster, COMMANDS],
      [slots, SLOT_COMMANDS],
    ],
    (): Promise<unknown> | undefined => connection.openFirst(),
  );
  /** Those that the user is closing: node-redis forgets them, with what they have queued. */
  const closing = new Set<Internals>();
  const closings = new CallInterceptor([[cluster, CLOSINGS]], () => {
    for (const client of clientsOf(cluster)) closing.add(client);
    return undefined;
  });
  replaceDuplicate(cluster, { defaults });
  const connection = new Connection(created, name, sockets, {
    client: cluster,
    commands,
    closings,
    retries: false,
    connected() {
      const [node] = clientsOf(cluster);
      // From now on node-redis queues by itself, and reports what is pending.
      if (node && reportsPending(node)) commands.remove();
      look();
    },
    ping: () => Promise.all(primariesOf(cluster).map(pingNode)),
    isAwaited: () => [...closing, ...clientsOf(cluster)].some(isAwaited),
    destroy() {
      const clients = [...closing, ...clientsOf(cluster)];
      try {
        cluster.destroy();
      } finally {
        for (const client of clients) destroyNode(client);
      }
    },
  });
  const look = watch(cluster, connection);
}

/** node-redis calls a cluster ready even when all its nodes are dead, so each node is watched. */
function watch(cluster: ClusterInternals, connection: Connection): () => void {
  const known = new WeakSet<Internals>();
  /** Usable: open, and at least one primary is connected. */
  function look(reason?: Error): void {
    const primaries = primariesOf(cluster);
    for (const primary of primaries) {
      if (known.has(primary)) continue;
      known.add(primary);
      primary.on('ready', () => look());
      primary.on('error', failed);
    }
    if (!cluster.isOpen) return connection.left();
    if (primaries.some(({ isReady }) => isReady)) connection.gained();
    else if (primaries.length > 0) connection.lost(reason);
  }
  function failed(error: Error): void {
    const wasUp = connection.isUp;
    if (wasUp) look(error);
    if (!wasUp || connection.isUp) connection.failed(error);
  }
  for (const event of ['connect', 'node-connect', 'node-ready', 'node-reconnecting']) cluster.on(event, () => look());
  cluster.on('error', failed);
  cluster.on('node-error', failed);
  return look;
}

function primariesOf(cluster: ClusterInternals): Internals[] {
  return cluster.masters.flatMap(({ client }) => (client ? [client] : []));
}

function clientsOf({ masters, replicas, pubSubNode }: ClusterInternals): Internals[] {
  const nodes = [...masters, ...replicas, ...(pubSubNode ? [pubSubNode] : [])];
  return nodes.flatMap(({ client, pubSub }) => [client, pubSub?.client].filter((one) => one !== undefined));
}

async function pingNode(client: Internals): Promise<void> {
  if (!client.isReady) throw new Error('There is no connection to a primary of the cluster');
  await ping(client);
}

function destroyNode(client: Internals): void {
  try {
    client.destroy();
  } catch {
    // It has ended already.
  }
}
