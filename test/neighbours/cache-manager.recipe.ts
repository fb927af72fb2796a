import KeyvRedis from '@keyv/redis';
import { CacheModule } from '@nestjs/cache-manager';
import { Keyv } from 'keyv';
import { REDIS_CLIENT } from '../../src/node-redis/index.js';

/** A store that does not close its client: CacheModule disconnects its stores while requests are still served. */
class SharedStore extends KeyvRedis<unknown> {
  override async disconnect(): Promise<void> {}
}

export const AppCacheModule = CacheModule.registerAsync({
  isGlobal: true,
  inject: [REDIS_CLIENT],
  useFactory: (redis: SharedStore['client']) => ({
    stores: new Keyv({
      store: new SharedStore(redis, { namespace: 'cache' }),
      namespace: 'cache',
      useKeyPrefix: false, // the store puts it before each key
      ttl: 60_000,
    }),
  }),
});
