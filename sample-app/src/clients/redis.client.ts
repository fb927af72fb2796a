import { ConfigService } from '@nestjs/config';
import type { RedisOptions } from 'ioredis';
import { redisClient } from 'nestjs-clients/redis';
import type { AppConfig } from '../config/environment.js';

/**
 * Links work without Redis. While it is down a command fails with the next attempt to reconnect, so that it does not hold
 * up a request for longer; while it does not answer, not for longer than a second.
 */
export const FAIL_FAST = {
  maxRetriesPerRequest: 0,
  retryStrategy: () => 250,
  commandTimeout: 1_000,
} satisfies RedisOptions;

/** The cache of links, the rate limit, and the clicks of the default workspace. */
export const redis = redisClient({
  inject: [ConfigService],
  useFactory: (config: AppConfig) => ({ url: config.get('REDIS_URL', { infer: true }), ...FAIL_FAST }),
});
