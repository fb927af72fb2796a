import { CacheModule } from '@nestjs/cache-manager';
import type { Redis } from 'ioredis';
import type { KeyvStoreAdapter, StoredData } from 'keyv';
import { REDIS_CLIENT } from '../../src/redis/index.js';

/** Keyv's store on a client that it does not own: it has no `disconnect`, which CacheModule would call at shutdown. */
export class RedisCacheStore implements KeyvStoreAdapter {
  readonly opts = {};
  namespace?: string;

  constructor(private readonly redis: Redis) {}

  async get<Value>(key: string): Promise<StoredData<Value> | undefined> {
    return ((await this.redis.get(key)) ?? undefined) as StoredData<Value> | undefined; // Keyv parses it
  }

  async set(key: string, value: string, ttl?: number): Promise<boolean> {
    if (ttl === undefined) await this.redis.set(key, value);
    else await this.redis.set(key, value, 'PX', ttl);
    return true;
  }

  async delete(key: string): Promise<boolean> {
    return (await this.redis.unlink(key)) > 0;
  }

  async clear(): Promise<void> {
    const scan = this.redis.scanStream({ match: `${this.namespace}:*`, count: 1_000 });
    for await (const keys of scan as AsyncIterable<string[]>) {
      if (keys.length > 0) await this.redis.unlink(...keys);
    }
  }

  /** Keyv listens for a store's errors; a client's are reported by this library. */
  on(): this {
    return this;
  }
}

export const AppCacheModule = CacheModule.registerAsync({
  isGlobal: true,
  inject: [REDIS_CLIENT],
  useFactory: (redis: Redis) => ({
    stores: new RedisCacheStore(redis),
    namespace: 'cache',
    ttl: 60_000,
  }),
});
