import { RedisModule, RedisService } from '@liaoliaots/nestjs-redis';
import { REDIS_URL } from '../../settings.mjs';

export const declare = () => ({
  imports: [RedisModule.forRoot({ config: { url: REDIS_URL } })],
  inject: [RedisService],
  pick: (service) => service.getOrThrow(),
});
