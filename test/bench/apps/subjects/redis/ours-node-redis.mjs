import { ClientsModule, getClientToken } from 'nestjs-clients';
import { nodeRedisClient } from 'nestjs-clients/node-redis';
import { REDIS_URL } from '../../settings.mjs';

export const declare = () => ({
  imports: [ClientsModule.forRoot({ clients: { redis: nodeRedisClient(REDIS_URL) } })],
  inject: [getClientToken('redis')],
  pick: (redis) => redis,
});
