// oxlint-disable typescript/no-generated-empty-object-type -- it is what node-redis means by "no modules"
import type {
  RedisDefaultModules,
  RedisFunctions,
  RedisModules,
  RedisScripts,
  RedisSentinelOptions,
  RedisSentinelType,
  RespVersions,
  TypeMapping,
} from 'redis';
import type { ClientDefinition } from '../definition/client-definition.js';
import type { ClientOptionsFactory, KindLifecycle } from '../definition/configurable-client.js';
import { CallInterceptor } from './call-interceptor.js';
import { Connection } from './connection.js';
import { declareNodeRedis } from './declare-node-redis.js';
import { findNodeRedisSentinelProblem } from './find-node-redis-problem.js';
import { CLOSINGS, PUB_SUB, replaceDuplicate, type SentinelInternals } from './internals.js';
import { ping } from './probe.js';
import type { Sockets } from './sockets.js';

/** The methods through which everything goes that a client sends. node-redis does not expose what it queues. */
const COMMANDS = ['_execute', 'use', 'acquire', ...PUB_SUB];

/** Milliseconds between two looks at a primary that has been lost: node-redis emits nothing when the same one is back. */
const LOOK_INTERVAL = 200;

/** Node's own: a test may have faked them. */
const { setTimeout: later } = globalThis;

/**
 * node-redis's own options for Sentinels, without those that change the client's type: `modules`, `functions`, `scripts`,
 * `RESP` and `commandOptions`. `nodeRedisSentinel` takes those too, and infers the type.
 *
 * @example
 * const options: NodeRedisSentinelOptions = {
 *   name: 'main',
 *   sentinelRootNodes: [{ host: 'sentinel-1.internal', port: 26379 }],
 * };
 */
export type NodeRedisSentinelOptions = Omit<
  RedisSentinelOptions,
  'modules' | 'functions' | 'scripts' | 'RESP' | 'commandOptions'
>;

/**
 * Declares a client that asks Sentinels for the primary: what node-redis's `createSentinel` returns.
 *
 * Takes node-redis's options, or `{ inject, useFactory }` that returns them. Without any, they come from the factory of
 * `forRootAsync`. `passthroughClientErrorEvents` is on by default: through these events a lost connection is noticed.
 *
 * The client connects after bootstrap, or with the first command, so you need not call `connect()`: that waits for the same
 * connection, and rejects with `CLIENTS_CLOSED` once the client closes. After bootstrap it tries for ever: again after 100 ms,
 * then after twice as long each time, at most 2 s.
 *
 * At shutdown every command is answered before the connections end. If the primary cannot be reached, commands wait until
 * `closeTimeout` and then reject with `CLIENTS_CLOSED`; if none is pending, the client closes at once. A client that you
 * create with `duplicate()` is not closed for you.
 *
 * The health check sends a PING to the primary, and fails at once while it is not connected. If the primary refuses only the
 * PING, for example for lack of permission, the client is up. `check` beside the lifecycle options replaces this check. The
 * injected type is node-redis's `RedisSentinelType`.
 *
 * Wrong options make `forRoot` throw `CLIENTS_INVALID_OPTIONS`. Injecting the client without the package `redis` fails
 * with `CLIENTS_MISSING_PACKAGE`.
 *
 * @example
 * ClientsModule.forRoot({
 *   clients: {
 *     redis: nodeRedisSentinel({ name: 'main', sentinelRootNodes: [{ host: 'sentinel.internal', port: 26379 }] }),
 *   },
 * });
 */
export function nodeRedisSentinel(
  options?: NodeRedisSentinelOptions | ClientOptionsFactory<NodeRedisSentinelOptions>,
  lifecycle?: KindLifecycle<RedisSentinelType>,
): ClientDefinition<RedisSentinelType, NodeRedisSentinelOptions>;
export function nodeRedisSentinel<
  RESP extends RespVersions,
  M extends RedisModules = Record<never, never>,
  F extends RedisFunctions = Record<never, never>,
  S extends RedisScripts = Record<never, never>,
  TYPE_MAPPING extends TypeMapping = Record<never, never>,
>(
  options:
    | RedisSentinelOptions<M, F, S, RESP, TYPE_MAPPING>
    | ClientOptionsFactory<RedisSentinelOptions<M, F, S, RESP, TYPE_MAPPING>>,
  lifecycle?: KindLifecycle<RedisSentinelType<RedisDefaultModules & M, F, S, RESP, TYPE_MAPPING>>,
): ClientDefinition<
  RedisSentinelType<RedisDefaultModules & M, F, S, RESP, TYPE_MAPPING>,
  RedisSentinelOptions<M, F, S, RESP, TYPE_MAPPING>
>;
export function nodeRedisSentinel(
  options?: NodeRedisSentinelOptions | ClientOptionsFactory<NodeRedisSentinelOptions>,
  lifecycle?: KindLifecycle<RedisSentinelType>,
): ClientDefinition<RedisSentinelType, NodeRedisSentinelOptions> {
  return declareNodeRedis<RedisSentinelType, NodeRedisSentinelOptions>(
    {
      kind: 'node-redis-sentinel',
      findProblem: findNodeRedisSentinelProblem,
      create({ createSentinel }, given, name, sockets) {
        const { nodeClientOptions, sentinelClientOptions } = given;
        const sentinel = createSentinel({
          passthroughClientErrorEvents: true,
          ...given,
          nodeClientOptions: { ...nodeClientOptions, socket: sockets.options(nodeClientOptions?.socket) },
          sentinelClientOptions: { ...sentinelClientOptions, socket: sockets.options(sentinelClientOptions?.socket) },
        } as RedisSentinelOptions) as unknown as RedisSentinelType;
        manage(sentinel, name, sockets, given);
        return sentinel;
      },
    },
    options,
    lifecycle,
  );
}

function manage(created: object, name: string, sockets: Sockets, given: NodeRedisSentinelOptions): void {
  const { _self: sentinel } = created as SentinelInternals;
  const commands = new CallInterceptor([[sentinel, COMMANDS]], (): Promise<unknown> | undefined =>
    connection.openFirst(),
  );
  const { nodeClientOptions, sentinelClientOptions } = given;
  replaceDuplicate(sentinel, { nodeClientOptions, sentinelClientOptions });
  const primary = {
    sendCommand: (args: string[]): Promise<unknown> => commands.bypass(() => sentinel.sendCommand(false, args)),
  };
  const connection = new Connection(created, name, sockets, {
    client: sentinel,
    commands,
    closings: new CallInterceptor([[sentinel, CLOSINGS]]),
    retries: false,
    connected: () => connection.gained(),
    ping: () => ping(primary),
    isAwaited: () => false, // the interceptor stays, and counts
    destroy: () => sentinel.destroy(),
  });
  watch(sentinel, connection, () => ping(primary));
}

function watch(sentinel: SentinelInternals, connection: Connection, pingPrimary: () => Promise<unknown>): void {
  function lost(reason?: unknown): void {
    connection.lost(reason);
    if (!connection.isUp) void untilBack();
  }
  let isLooking = false;
  /** Until one command is answered: it waits for a new primary, if there is one. */
  async function untilBack(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    while (!connection.isUp && !connection.isClosing && sentinel.isOpen) {
      await pingPrimary().then(
        () => connection.gained(),
        () => new Promise<void>((resolve) => later(resolve, LOOK_INTERVAL).unref()),
      );
    }
    isLooking = false;
  }
  sentinel.on('error', (reported: unknown) => {
    const error = reported instanceof Error ? reported : new Error(String(reported));
    const isLoss = connection.isUp && error.message.startsWith('Master Client (');
    if (isLoss) lost(error.cause ?? error);
    else connection.failed(error);
  });
  sentinel.on('ready', () => connection.gained()); // from 6.3 on, as the next
  sentinel.on('reconnecting', () => lost());
}
