import { RedisModule, getRedisConnectionToken } from '@nestjs-modules/ioredis';
import { REDIS_URL } from '../../settings.mjs';

export const declare = () => ({
  imports: [RedisModule.forRoot({ type: 'single', url: REDIS_URL })],
  inject: [getRedisConnectionToken()],
  pick: (redis) => redis,
});
