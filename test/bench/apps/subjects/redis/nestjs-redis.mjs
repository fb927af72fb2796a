import { RedisModule, RedisToken } from '@nestjs-redis/client';
import { REDIS_URL } from '../../settings.mjs';

export const declare = () => ({
  imports: [RedisModule.forRoot({ isGlobal: true, options: { url: REDIS_URL } })],
  inject: [RedisToken()],
  pick: (redis) => redis,
});
