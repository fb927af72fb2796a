import type { Redis, RedisOptions } from 'ioredis';
import { watchSentinels } from './sentinel-connections.js';

/**
 * Makes a second client with the options and the credentials of `client`, which has not connected yet. It is closed, checked and
 * watched as any other. `options` replace what they name.
 *
 * ioredis's `duplicate()` copies the options, and a client with `credentials` hands those on.
 */
export function duplicateRedis(client: Redis, options: RedisOptions = {}): Redis {
  const copy = client.duplicate({ ...options, lazyConnect: true });
  watchSentinels(copy);
  return copy;
}
