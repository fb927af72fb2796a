/** Four clients declared, none injected. */
import { ClientsModule } from 'nestjs-clients';
import { dynamoDBClient, dynamoDBDocumentClient } from 'nestjs-clients/dynamodb';
import { redisClient, redisCluster } from 'nestjs-clients/redis';
import { DYNAMODB, REDIS_URL } from '../settings.mjs';

export const declare = () => ({
  imports: [
    ClientsModule.forRoot({
      clients: {
        redis: redisClient(REDIS_URL),
        cluster: redisCluster({ nodes: [REDIS_URL] }),
        dynamodb: dynamoDBClient(DYNAMODB),
        dynamodbDocument: dynamoDBDocumentClient(),
      },
    }),
  ],
});
