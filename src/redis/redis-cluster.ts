import type { Cluster, ClusterNode, ClusterOptions } from 'ioredis';
import type { ClientDefinition } from '../definition/client-definition.js';
import {
  configurableClient,
  type ClientOptionsFactory,
  type KindLifecycle,
} from '../definition/configurable-client.js';
import type { Dependency } from '../definition/dependency.js';
import type { OptionsOrPromise } from '../definition/known-options.js';
import { loadPackage } from '../definition/load-package.js';
import { logInClusterWith } from './cluster-logins.js';
import { watchCluster } from './connection-events.js';
import { showCredentials, type RedisCredentialsProvider } from './credentials.js';
import { findClusterProblem } from './find-redis-problem.js';
import { closeCluster, destroyCluster } from './redis-closing.js';
import { checkCluster, connect } from './redis-health.js';

/**
 * Milliseconds until a connection on which the server does not hang up is cut. ioredis asks for the slots on connections
 * of its own, which nobody else can cut; its default, 2,000, would let them outlive the client by 3 s.
 */
const DISCONNECT_TIMEOUT = 500;

/**
 * ioredis's own cluster options, and some of the nodes.
 *
 * @example
 * const options: RedisClusterOptions = { nodes: [{ host: 'redis-1.internal', port: 6379 }], redisOptions: { tls: {} } };
 */
export type RedisClusterOptions = ClusterOptions & {
  /** Nodes to start from, as `{ host, port }` or URLs; the others are found through them. */
  nodes: ClusterNode[];
  /**
   * Returns user name and password, in place of `redisOptions.password`: for passwords and tokens that change. It is called at
   * each attempt to connect, for each connection: to a node, for the slots, for subscriptions. Otherwise it works as with
   * `redisClient`. If the login to a node fails, it is tried again with the next command or refresh of the slots.
   */
  credentials?: RedisCredentialsProvider | undefined;
};

/**
 * Declares a client of a Redis Cluster: ioredis's own `Cluster`.
 *
 * Takes ioredis's cluster options and `nodes`, or `{ inject, useFactory }` that returns them. Without any, they come from
 * the factory of `forRootAsync`. User name, password and TLS for all nodes go under `redisOptions`. `lazyConnect` is
 * always on: connections open after bootstrap, or with the first command. `redisOptions.disconnectTimeout` is 500 ms by
 * default.
 *
 * At shutdown every command is answered before the connections end. If a node cannot be reached, commands queued for it wait
 * until `closeTimeout` and then reject.
 *
 * The health check asks one node for CLUSTER INFO, and fails unless it reports that every slot is served. It fails at
 * once while the client is not connected. If the node refuses only CLUSTER INFO, the client is up. `check` beside the lifecycle
 * options replaces this check. An unreachable node is reported as an error event, even if the other nodes serve.
 *
 * Wrong options make `forRoot` throw `CLIENTS_INVALID_OPTIONS`. Injecting the client without the package `ioredis` fails
 * with `CLIENTS_MISSING_PACKAGE`.
 *
 * @example
 * ClientsModule.forRoot({
 *   clients: { redis: redisCluster({ nodes: [{ host: 'redis-1.internal', port: 6379 }], scaleReads: 'slave' }) },
 * });
 */
export function redisCluster<
  I extends readonly Dependency[] = readonly Dependency[],
  R extends OptionsOrPromise<RedisClusterOptions> = OptionsOrPromise<RedisClusterOptions>,
>(
  options?: RedisClusterOptions | ClientOptionsFactory<RedisClusterOptions, I, R>,
  lifecycle?: KindLifecycle<Cluster>,
): ClientDefinition<Cluster, RedisClusterOptions> {
  return configurableClient<Cluster, RedisClusterOptions>(
    {
      kind: 'redis-cluster',
      findProblem: findClusterProblem,
      showSecrets: showCredentials,
      async create({ nodes, redisOptions, credentials, ...given }, name) {
        const { Cluster } = await loadPackage('ioredis', `Client "${name}"`, () => import('ioredis'));
        const cluster = new Cluster(nodes, {
          ...given,
          // The cast: ioredis types the replies by `replyMapping`; the definition's client has the default type.
          redisOptions: { disconnectTimeout: DISCONNECT_TIMEOUT, ...redisOptions } as { replyMapping?: 'legacy' },
          lazyConnect: true,
        });
        if (credentials) logInClusterWith(cluster, credentials);
        return cluster;
      },
      connect,
      check: checkCluster,
      close: closeCluster,
      destroy: destroyCluster,
      onError(cluster, report) {
        cluster.on('error', report);
        // ioredis emits "error" only when no node at all answers.
        // "Connection is closed." follows the error that closed it, and would hide it.
        cluster.on('node error', (error: Error) => {
          if (error.message !== 'Connection is closed.') report(error);
        });
      },
      onConnection: watchCluster,
    },
    options,
    lifecycle,
  );
}
