import { ThrottlerModule, type ThrottlerStorage } from '@nestjs/throttler';
import type { Redis } from 'ioredis';
import { REDIS_CLIENT } from '../../src/redis/index.js';

// Counts in fixed windows. It is one script, so that no other request comes between two commands.
const HIT = `
  local blockedFor = redis.call('PTTL', KEYS[2])
  if blockedFor > 0 then return { tonumber(ARGV[2]) + 1, blockedFor, blockedFor } end
  local hits = redis.call('INCR', KEYS[1])
  if hits == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
  local expiresIn = redis.call('PTTL', KEYS[1])
  if hits <= tonumber(ARGV[2]) then return { hits, expiresIn, 0 } end
  if tonumber(ARGV[3]) == 0 then return { hits, expiresIn, expiresIn } end
  redis.call('SET', KEYS[2], 1, 'PX', ARGV[3])
  redis.call('DEL', KEYS[1])
  return { hits, expiresIn, tonumber(ARGV[3]) }`;

export class RedisThrottlerStorage implements ThrottlerStorage {
  constructor(private readonly redis: Redis) {}

  async increment(key: string, ttl: number, limit: number, blockDuration: number) {
    const keys = [`throttler:{${key}}:hits`, `throttler:{${key}}:blocked`]; // braces: the same slot of a cluster
    const reply = await this.redis.eval(HIT, 2, ...keys, ttl, limit, blockDuration);
    const [totalHits, expiresIn, blockedFor] = reply as [number, number, number];
    return {
      totalHits,
      timeToExpire: Math.ceil(expiresIn / 1_000),
      isBlocked: blockedFor > 0,
      timeToBlockExpire: Math.ceil(blockedFor / 1_000),
    };
  }
}

export const RateLimitModule = ThrottlerModule.forRootAsync({
  inject: [REDIS_CLIENT],
  useFactory: (redis: Redis) => ({
    throttlers: [{ ttl: 60_000, limit: 20 }],
    storage: new RedisThrottlerStorage(redis),
  }),
});
