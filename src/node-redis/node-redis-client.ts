// oxlint-disable typescript/no-generated-empty-object-type -- it is what node-redis means by "no modules"
import type {
  RedisClientOptions,
  RedisClientType,
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
import { findNodeRedisProblem } from './find-node-redis-problem.js';
import { CLOSINGS, PUB_SUB, queueOf, type Internals } from './internals.js';
import { isAwaited, reportsPending } from './pending-commands.js';
import { ping } from './probe.js';
import type { SocketOptions, Sockets } from './sockets.js';
import { watchClient } from './watch-client.js';

/** The methods through which everything goes that a client sends. */
const COMMANDS = ['sendCommand', '_executeMulti', '_executePipeline', 'MONITOR', 'monitor', 'reset'].concat(
  ['extendPubSubListeners', 'extendPubSubChannelListeners'],
  PUB_SUB,
);

/**
 * node-redis's own options, without those that change the client's type: `modules`, `functions`, `scripts`, `RESP` and
 * `commandOptions`. `nodeRedisClient` takes those too, and infers the type.
 *
 * @example
 * const options: NodeRedisClientOptions = { url: 'rediss://cache.internal:6380/1', pingInterval: 10_000 };
 */
export type NodeRedisClientOptions = Omit<
  RedisClientOptions,
  'modules' | 'functions' | 'scripts' | 'RESP' | 'commandOptions'
>;

/**
 * Declares a client of node-redis for one server: what its `createClient` returns.
 *
 * Takes a URL, node-redis's options, or `{ inject, useFactory }` that returns options. Without any, they come from the
 * factory of `forRootAsync`. They must say where the server is.
 *
 * The client connects after bootstrap, or with the first command, so you need not call `connect()`: that waits for the same
 * connection, and rejects with `CLIENTS_CLOSED` once the client closes. Unless `reconnectStrategy` says otherwise, it tries
 * again for ever: after 50 ms, then after twice as long each time, at most 2 s, plus up to 200 ms at random.
 *
 * At shutdown every command is answered before the connection ends. If the server cannot be reached, queued commands wait
 * until `closeTimeout` and then reject; if no command is queued, the client closes at once. A client that you create with
 * `duplicate()` is not closed for you.
 *
 * The health check is a PING, and fails at once while the client is not connected. If the server refuses only the PING, for
 * example for lack of permission, the client is up. `check` beside the lifecycle options replaces this check. The injected
 * type is node-redis's `RedisClientType`.
 *
 * Wrong options make `forRoot` throw `CLIENTS_INVALID_OPTIONS`. Injecting the client without the package `redis` fails
 * with `CLIENTS_MISSING_PACKAGE`.
 *
 * @example
 * ClientsModule.forRoot({
 *   clients: {
 *     redis: nodeRedisClient('redis://localhost:6379'),
 *     sessions: nodeRedisClient({ socket: { host: 'sessions.internal' }, database: 1 }, { closeTimeout: 2_000 }),
 *   },
 * });
 */
export function nodeRedisClient(
  options?: string | NodeRedisClientOptions | ClientOptionsFactory<NodeRedisClientOptions>,
  lifecycle?: KindLifecycle<RedisClientType>,
): ClientDefinition<RedisClientType, NodeRedisClientOptions>;
export function nodeRedisClient<
  RESP extends RespVersions,
  M extends RedisModules = Record<never, never>,
  F extends RedisFunctions = Record<never, never>,
  S extends RedisScripts = Record<never, never>,
  TYPE_MAPPING extends TypeMapping = Record<never, never>,
>(
  options:
    | RedisClientOptions<M, F, S, RESP, TYPE_MAPPING>
    | ClientOptionsFactory<RedisClientOptions<M, F, S, RESP, TYPE_MAPPING>>,
  lifecycle?: KindLifecycle<RedisClientType<RedisDefaultModules & M, F, S, RESP, TYPE_MAPPING>>,
): ClientDefinition<
  RedisClientType<RedisDefaultModules & M, F, S, RESP, TYPE_MAPPING>,
  RedisClientOptions<M, F, S, RESP, TYPE_MAPPING>
>;
export function nodeRedisClient(
  options?: string | NodeRedisClientOptions | ClientOptionsFactory<NodeRedisClientOptions>,
  lifecycle?: KindLifecycle<RedisClientType>,
): ClientDefinition<RedisClientType, NodeRedisClientOptions> {
  return declareNodeRedis<RedisClientType, NodeRedisClientOptions>(
    {
      kind: 'node-redis',
      findProblem: findNodeRedisProblem,
      create({ createClient }, given, name, sockets) {
        const socket = sockets.options(given.socket);
        const client = createClient({ ...given, socket } as RedisClientOptions) as unknown as RedisClientType;
        restoreOptions(socket, given.socket);
        manage(client, name, sockets);
        return client;
      },
    },
    typeof options === 'string' ? { url: options } : options,
    lifecycle,
  );
}

/**
 * Restores the original socket options once the client has read them. It keeps them for its duplicates and pools, which
 * belong to the user and must not end with it.
 */
function restoreOptions(
  socket: { -readonly [K in keyof SocketOptions]: SocketOptions[K] },
  given: SocketOptions = {},
): void {
  delete socket.signal;
  delete socket.reconnectStrategy;
  const { signal, reconnectStrategy } = given;
  Object.assign(socket, signal && { signal }, reconnectStrategy !== undefined && { reconnectStrategy });
}

function manage(created: object, name: string, sockets: Sockets): void {
  const { _self: client } = created as Internals;
  /** Whether there were commands to be sent when it last reached the server, where it then says HELLO. */
  let isQueued = false;
  const commands = new CallInterceptor([[client, COMMANDS]], () => {
    connection.openFirst()?.catch(() => {}); // node-redis queues the command, and rejects it itself
    return undefined;
  });
  const closings = new CallInterceptor([[client, CLOSINGS]]);
  const pingClient = () => commands.bypass(() => ping(client));
  const connection = new Connection(created, name, sockets, {
    client,
    commands,
    closings,
    retries: true,
    ping: pingClient,
    isAwaited: () => isAwaited(client) || (!client.isReady && isQueued),
    drain() {
      if (client.isReady && client.isOpen) closings.bypass(() => client.close()).catch(() => {});
    },
    destroy: () => client.destroy(),
  });
  watchClient(client, connection, pingClient);
  client.on('connect', () => (isQueued = queueOf(client)?.isEmpty() === false));
  client.on('error', () => (isQueued = false)); // what was in flight has been rejected
  client.on('ready', () => {
    isQueued = false; // they have been sent, and count as pending
    // From now on node-redis queues by itself, and reports what is pending.
    if (reportsPending(client)) commands.remove();
  });
}
