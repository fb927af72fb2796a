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
 * Which client a connection copies, and which of ioredis's options differ.
 *
 * @example
 * const options: RedisDuplicateOptions = { from: 'sessions', maxRetriesPerRequest: null };
 */
export interface RedisDuplicateOptions extends RedisOptions {
  /** The name of the Redis client whose options and credentials it copies. Default `'redis'`. */
  from?: string;
}

/**
 * Declares a second connection with the options and credentials of a Redis client that is declared beside it. It is ioredis's
 * own `Redis`. Use it for subscriptions, blocking reads, BullMQ's workers and the adapter of socket.io, which need a connection
 * of their own.
 *
 * Takes the options of ioredis that differ, such as `maxRetriesPerRequest`. Address and login are those of the other client.
 * `lazyConnect` is always on: the connection opens after bootstrap, or with the first command. `from` cannot name a Redis
 * Cluster: declare a second `redisCluster` with the same options.
 *
 * At shutdown it closes before the client that it copies. A blocking read in flight (`BLPOP`, `BZPOPMIN`, `XREAD BLOCK`, …)
 * resolves with `null`, as if its timeout had passed. Later ones reject with "Connection is closed.". If the server does not
 * allow `CLIENT ID`, `INFO` or `CLIENT UNBLOCK`, the one in flight rejects too. Every other command is answered first.
 *
 * The health check is a PING. While a blocking read would delay the PING, the client that it copies sends it instead.
 *
 * Wrong options make `forRoot` throw `CLIENTS_INVALID_OPTIONS`. If `from` does not name an ioredis client, for example a fake in
 * a test, injecting the client fails with `CLIENTS_CREATE_FAILED`.
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
