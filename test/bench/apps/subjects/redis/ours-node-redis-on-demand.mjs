/** The registry is injected, and asked for the client by the handler that uses it. */
import { ClientRegistry, ClientsModule } from 'nestjs-clients';
import { nodeRedisClient } from 'nestjs-clients/node-redis';
import { REDIS_URL } from '../../settings.mjs';

export const declare = () => ({
  imports: [ClientsModule.forRoot({ clients: { redis: nodeRedisClient(REDIS_URL, { connect: 'use' }) } })],
  inject: [ClientRegistry],
  pick: (registry) => ({ get: async (id) => (await registry.get('redis')).get(id) }),
});
