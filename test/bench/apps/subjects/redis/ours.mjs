import { ClientsModule } from 'nestjs-clients';
import { REDIS_CLIENT, redisClient } from 'nestjs-clients/redis';
import { REDIS_URL } from '../../settings.mjs';

export const declare = () => ({
  imports: [ClientsModule.forRoot({ clients: { redis: redisClient(REDIS_URL) } })],
  inject: [REDIS_CLIENT],
  pick: (redis) => redis,
});
