/** The registry is injected, and asked for the client by the handler that uses it. */
import { ClientRegistry, ClientsModule } from 'nestjs-clients';
import { dynamoDBClient } from 'nestjs-clients/dynamodb';
import { redisClient } from 'nestjs-clients/redis';
import { DYNAMODB, REDIS_URL } from '../../settings.mjs';

export const declare = () => ({
  imports: [
    ClientsModule.forRoot({
      clients: { redis: redisClient(REDIS_URL, { connect: 'use' }), dynamodb: dynamoDBClient(DYNAMODB) },
    }),
  ],
  inject: [ClientRegistry],
  pick: (registry) => ({ get: async (id) => (await registry.get('redis')).get(id) }),
});
