import { Injectable } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import type { Redis } from 'ioredis';
import { InjectRedis } from 'nestjs-clients/redis';
import { OutageLog } from '../logging/outage-log.js';

type ThrottlerStorageRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** Counts requests in Redis, in fixed windows. While Redis is down nobody is limited. */
@Injectable()
export class RedisThrottlerStorage implements ThrottlerStorage {
  private readonly outage = new OutageLog(RedisThrottlerStorage.name);

  constructor(@InjectRedis() private readonly redis: Redis) {}

  async increment(key: string, ttl: number, limit: number): Promise<ThrottlerStorageRecord> {
    try {
      const { hits, expiresIn } = await this.hit(`rate-limit:${key}`, ttl);
      this.outage.succeeded();
      const seconds = Math.ceil(expiresIn / 1_000);
      return { totalHits: hits, timeToExpire: seconds, isBlocked: hits > limit, timeToBlockExpire: seconds };
    } catch (error) {
      this.outage.failed('Nobody is limited', error);
      return { totalHits: 0, timeToExpire: 0, isBlocked: false, timeToBlockExpire: 0 };
    }
  }

  /** The first hit opens the window; the key, and with it the count, expires with the window. */
  private async hit(key: string, ttl: number): Promise<{ hits: number; expiresIn: number }> {
    const replies = await this.redis.multi().set(key, 0, 'PX', ttl, 'NX').incr(key).pttl(key).exec();
    const [, hits, expiresIn] = (replies ?? []).map(([error, reply]) => {
      if (error) throw error;
      return Number(reply);
    });
    if (hits === undefined || expiresIn === undefined) throw new Error('The transaction was not executed.');
    return { hits, expiresIn };
  }
}
