import { BullModule, OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Logger } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { ClientsModule, getClientToken } from '../../src/index.js';
import { InjectRedis, redisClient, redisDuplicate } from '../../src/redis/index.js';

/** Two connections: while Redis is down, commands of handlers should fail, and those of BullMQ's workers should wait. */
export const AppClientsModule = ClientsModule.forRoot({
  imports: [ConfigModule],
  clients: {
    redis: redisClient({
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({ url: config.getOrThrow<string>('REDIS_URL') }),
    }),
    queues: redisDuplicate({ maxRetriesPerRequest: null }),
  },
});

export const QueuesModule = BullModule.forRootAsync({
  inject: [getClientToken('queues')],
  useFactory: (connection: Redis) => ({ connection }),
});

export const ThumbnailsQueueModule = BullModule.registerQueue({ name: 'thumbnails' });

@Processor('thumbnails')
export class ThumbnailsProcessor extends WorkerHost {
  private readonly logger = new Logger(ThumbnailsProcessor.name);

  constructor(@InjectRedis() private readonly redis: Redis) {
    super();
  }

  async process(job: Job<{ image: string }>): Promise<number> {
    return this.redis.incr(`thumbnails:${job.data.image}`);
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.warn(error.message); // without a listener BullMQ prints to the console
  }
}
