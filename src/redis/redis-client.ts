import type { Redis, RedisOptions } from 'ioredis';
import type { ClientDefinition } from '../definition/client-definition.js';
import type { ClientLifecycle } from '../definition/client-lifecycle.js';
import { configurableClient, type ClientOptionsFactory } from '../definition/configurable-client.js';
import type { Dependency } from '../definition/dependency.js';
import type { OptionsOrPromise } from '../definition/known-options.js';
import { loadPackage } from '../definition/load-package.js';
import { findRedisProblem } from './find-redis-problem.js';
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
 * At shutdown every command is answered before the connection ends. With the server out of reach, queued commands have
 * until `closeTimeout` and then reject; with none queued it ends at once. A client that you `duplicate()` is yours to
 * close.
 *
 * The health check is a PING, and fails at once while the client is not connected.
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
  lifecycle?: ClientLifecycle,
): ClientDefinition<Redis, RedisClientOptions> {
  return configurableClient<Redis, RedisClientOptions>(
    {
      kind: 'redis',
      findProblem: findRedisProblem,
      async create({ url, ...given }, name) {
        const { Redis } = await loadPackage('ioredis', `Client "${name}"`, () => import('ioredis'));
        const lazy = { sentinelCommandTimeout: SENTINEL_COMMAND_TIMEOUT, ...given, lazyConnect: true } as LazyOptions;
        const client = url ? new Redis(withoutLazyConnect(url), lazy) : new Redis(lazy);
        watchSentinels(client);
        return client;
      },
      connect,
      check: checkRedis,
      close: closeRedis,
      destroy: destroyRedis,
      onError: (client, report) => void client.on('error', report),
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
