import 'reflect-metadata';
import { DynamoDBClient, ListTablesCommand, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { Controller, Module, type OnApplicationShutdown } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { ClientsModule, defineClient, getClientToken, InjectClient } from '../../../src/index.js';
import { InjectDynamoDB, dynamoDBClient } from '../../../src/dynamodb/index.js';
import { InjectRedis, redisClient, type RedisClientOptions } from '../../../src/redis/index.js';
import { say, settings } from './parent.js';

/** Creates and closes an app again and again, and reports how much memory is in use. */
export interface CyclesSettings {
  redis: RedisClientOptions;
  dynamodb: DynamoDBClientConfig;
  /** Creates and closes the clients without this library, to measure what Nest and the SDKs themselves keep. */
  byHand: boolean;
  cycles: number;
  /** Cycles between two samples. */
  every: number;
}

export interface Sample {
  cycle: number;
  /** Bytes. */
  heap: number;
  /** What keeps the process alive, apart from its standard streams. */
  open: string[];
}

const { redis, dynamodb, byHand, cycles, every } = settings as CyclesSettings;

@Controller()
class Consumer {
  constructor(
    @InjectRedis() readonly client: Redis,
    @InjectDynamoDB() readonly database: DynamoDBClient,
    @InjectClient('custom') readonly custom: object,
  ) {}
}

@Module({
  imports: [
    ClientsModule.forRoot({
      clients: {
        redis: redisClient(redis),
        dynamodb: dynamoDBClient(dynamodb),
        custom: defineClient({ create: () => ({}) }),
      },
    }),
  ],
  controllers: [Consumer],
})
class AppModule {}

@Module({
  controllers: [Consumer],
  providers: [
    { provide: getClientToken('redis'), useFactory: () => new Redis(redis as { port: number }) },
    { provide: getClientToken('dynamodb'), useFactory: () => new DynamoDBClient(dynamodb) },
    { provide: getClientToken('custom'), useFactory: () => ({}) },
  ],
})
class ByHandModule implements OnApplicationShutdown {
  constructor(
    @InjectRedis() private readonly client: Redis,
    @InjectDynamoDB() private readonly database: DynamoDBClient,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    const ended = new Promise((resolve) => this.client.once('end', resolve));
    await this.client.quit();
    await ended;
    this.database.destroy();
  }
}

async function cycle(): Promise<void> {
  const app = await NestFactory.create(byHand ? ByHandModule : AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  const { client, database } = app.get(Consumer);
  await Promise.all([client.incr('cycles'), database.send(new ListTablesCommand({}))]);
  await app.close();
}

for (let done = 0; done <= cycles; done += 1) {
  if (done % every === 0) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
    globalThis.gc?.();
    const open = process.getActiveResourcesInfo().filter((name) => !/^(PipeWrap|TTYWrap|Immediate)$/.test(name));
    say('sample', { cycle: done, heap: process.memoryUsage().heapUsed, open } satisfies Sample);
  }
  if (done < cycles) await cycle();
}
say('done');
