import type { Redis, RedisOptions } from 'ioredis';
import type { ClientDefinition } from '../definition/client-definition.js';
import {
  configurableClient,
  type ClientOptionsFactory,
  type KindLifecycle,
} from '../definition/configurable-client.js';
import type { Dependency } from '../definition/dependency.js';
import type { OptionsOrPromise } from '../definition/known-options.js';
import { loadPackage } from '../definition/load-package.js';
import { watchRedis } from './connection-events.js';
import { showCredentials, type RedisCredentialsProvider } from './credentials.js';
import { findRedisProblem } from './find-redis-problem.js';
import { logInWith } from './logins.js';
import { closeRedis, destroyRedis } from './redis-closing.js';
import { checkRedis, connect } from './redis-health.js';
import { watchSentinels } from './sentinel-connections.js';

/** Milliseconds. Without a limit ioredis would ask a silent Sentinel for ever, and never the next one. */
const SENTINEL_COMMAND_TIMEOUT = 2_000;

/**
 * ioredis's own options, or a URL, or both.
 *
 * @example
 * const options: RedisClientOptions = { url: 'rediss://cache.internal:6380/1', commandTimeout: 500 };
 */
export type RedisClientOptions = RedisOptions & {
  /**
   * `redis[s]://[[user]:password@]host[:port][/db]`, read by ioredis. Where another option says the same, the URL wins,
   * as in ioredis's `new Redis(url, options)`; but only one of the two may say where the server is.
   */
  url?: string | undefined;
  /**
   * Returns user name and password, in place of `password`: for passwords and tokens that change. It is called at each attempt
   * to connect. If it returns `expiresAt`, an open connection logs in again before that time: 3 min before it, or after half of
   * the time that is left, whichever comes later. If it rejects, or takes longer than `connectTimeout`, the attempt has failed:
   * there is an error event, and `retryStrategy` decides on the next attempt. Default none.
   */
  credentials?: RedisCredentialsProvider | undefined;
};

/** ioredis types the replies by this option; the definition's client has the default type. */
type LazyOptions = RedisOptions & { replyMapping?: 'legacy' };

/**
 * Declares a Redis client: ioredis's own `Redis`, for one server or for what Sentinels watch.
 *
 * Takes a URL, ioredis's options, both as `{ url, …options }`, or `{ inject, useFactory }` that returns options. Without
 * any, they come from the factory of `forRootAsync`. They must say where the server is. `lazyConnect` is always on:
 * the connection opens after bootstrap, or with the first command. `sentinelCommandTimeout` is 2,000 ms by default.
 *
 * At shutdown every command is answered before the connection ends. If the server cannot be reached, queued commands wait
 * until `closeTimeout` and then reject; if no command is queued, the client closes at once. A client that you create with
 * `duplicate()` is not closed for you.
 *
 * The health check is a PING, and fails at once while the client is not connected. If the server refuses only the PING, for
 * example for lack of permission, the client is up. `check` beside the lifecycle options replaces this check.
 *
 * Wrong options make `forRoot` throw `CLIENTS_INVALID_OPTIONS`. Injecting the client without the package `ioredis` fails
 * with `CLIENTS_MISSING_PACKAGE`.
 *
 * @example
 * ClientsModule.forRoot({
 *   clients: {
 *     redis: redisClient('redis://localhost:6379'),
 *     sessions: redisClient({ sentinels: [{ host: 'sentinel.internal', port: 26379 }], name: 'sessions' }),
 *   },
 * });
 */
export function redisClient<
  I extends readonly Dependency[] = readonly Dependency[],
  R extends OptionsOrPromise<RedisClientOptions> = OptionsOrPromise<RedisClientOptions>,
>(
  options?: string | RedisClientOptions | ClientOptionsFactory<RedisClientOptions, I, R>,
  lifecycle?: KindLifecycle<Redis>,
): ClientDefinition<Redis, RedisClientOptions> {
  return configurableClient<Redis, RedisClientOptions>(
    {
      kind: 'redis',
      findProblem: findRedisProblem,
      showSecrets: showCredentials,
      async create({ url, credentials, ...given }, name) {
        const { Redis } = await loadPackage('ioredis', `Client "${name}"`, () => import('ioredis'));
        const lazy = { sentinelCommandTimeout: SENTINEL_COMMAND_TIMEOUT, ...given, lazyConnect: true } as LazyOptions;
        const client = url ? new Redis(withoutLazyConnect(url), lazy) : new Redis(lazy);
        watchSentinels(client);
        if (credentials) logInWith(client, credentials);
        return client;
      },
      connect,
      check: checkRedis,
      close: closeRedis,
      destroy: destroyRedis,
      onError: (client, report) => void client.on('error', report),
      onConnection: watchRedis,
    },
    typeof options === 'string' ? { url: options } : options,
    lifecycle,
  );
}

/** ioredis takes options from a URL's query too, and prefers them: `?lazyConnect=` would connect at once. */
function withoutLazyConnect(url: string): string {
  const address = new URL(url);
  if (!address.searchParams.has('lazyConnect')) return url;
  address.searchParams.delete('lazyConnect');
  return address.href;
}
