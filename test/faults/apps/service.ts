import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { PutItemCommand, type DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { Controller, Get, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Redis } from 'ioredis';
import { ClientRegistry, ClientsModule } from '../../../src/index.js';
import { InjectDynamoDB, dynamoDBClient } from '../../../src/dynamodb/index.js';
import { InjectRedis, redisClient, redisCluster } from '../../../src/redis/index.js';
import type { RedisClientOptions, RedisClusterOptions } from '../../../src/redis/index.js';
import { say, settings } from './parent.js';
import { createAdapter, type FastifyOptions, type Platform } from './platform.js';

/** A service that counts visits in Redis and stores each in DynamoDB, run in a process of its own. */
export interface ServiceSettings {
  redis: RedisClientOptions | RedisClusterOptions;
  /** Further clients that no request needs, to see how they behave in an outage. */
  others?: Record<string, RedisClientOptions | RedisClusterOptions>;
  dynamodb: DynamoDBClientConfig;
  table: string;
  /** The key that each request increments. */
  key: string;
  /** What a request does. Default: both. */
  use?: ('redis' | 'dynamodb')[];
  /** Default: Express. */
  platform?: Platform;
  fastify?: FastifyOptions;
  /** The file to which the ids of the accepted requests are written when the process exits. */
  acceptedFile?: string;
}

const {
  redis,
  others = {},
  dynamodb,
  table,
  key,
  use = ['redis', 'dynamodb'],
  platform = 'Express',
  fastify,
  acceptedFile,
} = settings as ServiceSettings;
const accepted: string[] = [];

@Controller()
class VisitsController {
  constructor(
    @InjectRedis() private readonly client: Redis,
    @InjectDynamoDB() private readonly database: DynamoDBClient,
    private readonly registry: ClientRegistry,
  ) {}

  @Post('visits/:id')
  async visit(@Param('id') id: string) {
    accepted.push(id);
    const count = use.includes('redis') ? await this.client.incr(key) : 0;
    if (use.includes('dynamodb')) {
      await this.database.send(
        new PutItemCommand({ TableName: table, Item: { id: { S: id }, count: { N: `${count}` } } }),
      );
    }
    return { id, read: use.includes('redis') ? await this.client.get(key) : null };
  }

  @Get('health')
  health() {
    return Promise.all(this.registry.status().map(({ name }) => this.registry.check(name)));
  }

  @Get('status')
  status() {
    return this.registry.status();
  }
}

function define(options: RedisClientOptions | RedisClusterOptions) {
  return 'nodes' in options ? redisCluster(options) : redisClient(options);
}

@Module({
  imports: [
    ClientsModule.forRoot({
      clients: {
        redis: define(redis),
        dynamodb: dynamoDBClient(dynamodb),
        ...Object.fromEntries(Object.entries(others).map(([name, options]) => [name, define(options)])),
      },
    }),
  ],
  controllers: [VisitsController],
})
class ServiceModule {}

for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
  process.on(event, (error: unknown) => say('crash', String(error)));
}
process.once('exit', () => {
  if (acceptedFile) writeFileSync(acceptedFile, JSON.stringify(accepted));
});

const app = await NestFactory.create(ServiceModule, await createAdapter(platform, fastify), {
  forceCloseConnections: false,
});
// A process that is killed by a signal emits no "exit", so it ends with process.exit, and the file is written.
app.enableShutdownHooks([], { useProcessExit: true });
await app.listen(0, '127.0.0.1');
const registry = app.get(ClientRegistry);
for (const name of Object.keys(others)) await registry.get(name);
registry.events$.subscribe(({ type, client }) => say('event', { type, client }));
say('listening', await app.getUrl());
