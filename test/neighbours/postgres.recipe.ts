import { ConfigModule, ConfigService } from '@nestjs/config';
import { ClientsModule, type ClientsOf } from '../../src/index.js';
import { dynamoDBClient } from '../../src/dynamodb/index.js';
import { redisClient } from '../../src/redis/index.js';

const clients = { dynamodb: dynamoDBClient({ maxAttempts: 2 }), redis: redisClient() };

export type AppClients = ClientsOf<typeof clients>; // { dynamodb: DynamoDBClient; redis: Redis }

export const AppClientsModule = ClientsModule.forRootAsync({
  imports: [ConfigModule],
  inject: [ConfigService],
  clients,
  useFactory: (config: ConfigService) => ({
    dynamodb: { region: config.getOrThrow<string>('AWS_REGION') },
    redis: { url: config.getOrThrow<string>('REDIS_URL') },
  }),
});
