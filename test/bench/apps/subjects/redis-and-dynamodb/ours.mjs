import { ClientsModule } from 'nestjs-clients';
import { dynamoDBClient } from 'nestjs-clients/dynamodb';
import { REDIS_CLIENT, redisClient } from 'nestjs-clients/redis';
import { DYNAMODB, REDIS_URL } from '../../settings.mjs';

export const declare = () => ({
  imports: [ClientsModule.forRoot({ clients: { redis: redisClient(REDIS_URL), dynamodb: dynamoDBClient(DYNAMODB) } })],
  inject: [REDIS_CLIENT],
  pick: (redis) => redis,
});
