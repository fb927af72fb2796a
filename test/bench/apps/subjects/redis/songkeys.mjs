import { InjectRedis, RedisModule, getRedisToken } from '@songkeys/nestjs-redis';
import { REDIS_URL } from '../../settings.mjs';

InjectRedis(); // its token exists once the decorator has been evaluated

export const declare = () => ({
  imports: [RedisModule.forRoot({ config: { url: REDIS_URL } })],
  inject: [getRedisToken('default')],
  pick: (redis) => redis,
});
