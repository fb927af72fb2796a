import { BullModule } from '@nestjs/bullmq';
import { ConfigModule, ConfigService } from '@nestjs/config';
import type { RedisClientType } from 'redis';
import { ClientsModule, getClientToken } from '../../src/index.js';
import { nodeRedisClient } from '../../src/node-redis/index.js';

export const AppClientsModule = ClientsModule.forRoot({
  imports: [ConfigModule],
  clients: {
    redis: nodeRedisClient({
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({ url: config.getOrThrow<string>('REDIS_URL') }),
    }),
  },
});

export const QueuesModule = BullModule.forRootAsync({
  inject: [getClientToken('redis')],
  useFactory: (connection: RedisClientType) => ({ connection }),
});
