import { ClientsModule, getClientToken } from 'nestjs-clients';
import { dynamoDBClient } from 'nestjs-clients/dynamodb';
import { nodeRedisClient } from 'nestjs-clients/node-redis';
import { DYNAMODB, REDIS_URL } from '../../settings.mjs';

export const declare = () => ({
  imports: [
    ClientsModule.forRoot({ clients: { redis: nodeRedisClient(REDIS_URL), dynamodb: dynamoDBClient(DYNAMODB) } }),
  ],
  inject: [getClientToken('redis')],
  pick: (redis) => redis,
});
