import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { getClientToken } from '../clients.tokens.js';
import type { ClientDefinition } from '../definition/client-definition.js';
import { configurableClient, type KindLifecycle } from '../definition/configurable-client.js';
import { baseOnSameServer, endBlockingReads, isBlocked, watchBlockingReads } from './blocking-reads.js';
import { watchRedis } from './connection-events.js';
import { duplicateRedis } from './duplicates.js';
import { findDuplicateProblem } from './find-redis-problem.js';
import { closeRedis, destroyRedis } from './redis-closing.js';
import { checkRedis, connect, ready } from './redis-health.js';

/**
 * On which client a connection is built, and which of ioredis's options it has differently.
 *
 * @example
 * const options: RedisDuplicateOptions = { from: 'sessions', maxRetriesPerRequest: null };
 */
export interface RedisDuplicateOptions extends RedisOptions {
  /** The name of the Redis client whose options and credentials it has. Default `'redis'`. */
  from?: string;
}

/**
 * Declares a connection of its own with the options and the credentials of a Redis client declared beside it: ioredis's own
 * `Redis`, for what a shared connection must not be used for: subscriptions, blocking reads, BullMQ's workers, the adapter of
 * socket.io.
 *
 * Takes ioredis's options that are to differ, such as `maxRetriesPerRequest`. Where the server is and how to log in is the
 * other client's. `lazyConnect` is always on: the connection opens after bootstrap, or with the first command. `from` cannot
 * name a Redis Cluster: declare a second `redisCluster` with the same options.
 *
 * At shutdown it closes before the client that it is built on. A blocking read in flight (`BLPOP`, `BZPOPMIN`, `XREAD BLOCK`, …) ends
 * as if its time was over: it resolves with `null`. Further ones reject with "Connection is closed.", as those in flight do if
 * the server does not allow `CLIENT ID`, `INFO` or `CLIENT UNBLOCK`. Every other command is answered first.
 *
 * The health check is a PING. While a blocking read would hold that up, the client that it is built on asks the server instead.
 *
 * Wrong options make `forRoot` throw `CLIENTS_INVALID_OPTIONS`. If `from` is no Redis client, such as a fake in a test, injecting
 * the client fails with `CLIENTS_CREATE_FAILED`.
 *
 * @example
 * ClientsModule.forRoot({
 *   clients: {
 *     redis: redisClient('redis://localhost:6379'),
 *     subscriber: redisDuplicate(),
 *     workers: redisDuplicate({ maxRetriesPerRequest: null }),
 *   },
 * });
 */
export function redisDuplicate(
  options?: RedisDuplicateOptions,
  lifecycle?: KindLifecycle<Redis>,
): ClientDefinition<Redis, RedisOptions> {
  const from = options?.from ?? 'redis';

  return configurableClient<Redis, RedisDuplicateOptions>(
    {
      kind: 'redis',
      inject: typeof from === 'string' ? [getClientToken(from)] : [],
      findProblem(given) {
        if (typeof from !== 'string' || from === '') return '"from" is not the name of a client';
        if (given.from !== undefined && given.from !== from) return '"from" cannot come from a factory';
        return findDuplicateProblem(given);
      },
      create(given, name, base: Redis | Cluster) {
        assertRedis(base, from, name);
        const different = { ...given };
        delete different.from;
        const client = duplicateRedis(base, different);
        watchBlockingReads(client, base);
        return client;
      },
      connect,
      check: checkDuplicate,
      async close(client) {
        if (await endBlockingReads(client)) await closeRedis(client);
        else await destroyRedis(client);
      },
      destroy: destroyRedis,
      onError: (client, report) => void client.on('error', report),
      onConnection: watchRedis,
    },
    options,
    lifecycle,
  );
}

/** A client that is blocked is connected, and answers nothing: a PING would wait for as long as the read does. */
async function checkDuplicate(client: Redis): Promise<void> {
  await ready(client);
  if (!isBlocked(client)) return checkRedis(client);
  const base = await baseOnSameServer(client);
  if (base) await checkRedis(base);
}

function assertRedis(base: Redis | Cluster, from: string, name: string): asserts base is Redis {
  if (typeof base?.duplicate !== 'function') {
    throw new TypeError(
      `"${from}", named in "from", is not an ioredis client: it has no duplicate(). ` +
        `A test that replaces "${from}" must replace "${name}" too: overrideProvider(getClientToken('${name}'))`,
    );
  }
  if ('nodes' in base) {
    throw new TypeError(
      `"${from}", named in "from", is a Redis Cluster; declare "${name}" as a second redisCluster() with its options`,
    );
  }
}
