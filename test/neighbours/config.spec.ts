import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ClientRegistry } from '../../src/index.js';
import { InjectDynamoDB } from '../../src/dynamodb/index.js';
import { InjectRedis } from '../../src/redis/index.js';
import { bootApp, registryOf, rejection } from '../support/boot-app.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { configOf, expectCleanClose } from './app-of-neighbours.js';
import { AppClientsModule, type AppClients } from './config.recipe.js';

@Injectable()
class Links {
  constructor(
    @InjectDynamoDB() readonly dynamodb: DynamoDBClient,
    @InjectRedis() readonly redis: Redis,
    readonly clients: ClientRegistry<AppClients>,
  ) {}
}

@Injectable()
class Stats {
  constructor(@InjectRedis() readonly redis: Redis) {}
}

describeWithRedis('@nestjs/config', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());

  it('supplies the options of clients that every class shares', async () => {
    const config = configOf({ AWS_REGION: 'eu-south-2', REDIS_URL: server.url });
    const app = await bootApp({ imports: [config, AppClientsModule], providers: [Links, Stats] });
    const { clients, dynamodb, redis } = app.get(Links);

    expect(await redis.ping()).toBe('PONG');
    expect(redis.options).toMatchObject({ host: server.host, port: server.port });
    expect(await dynamodb.config.region()).toBe('eu-south-2');
    expect(await dynamodb.config.maxAttempts()).toBe(2);
    expect(app.get(Stats).redis).toBe(redis);
    expect(await clients.get('redis')).toBe(redis);
    expect(await clients.get('dynamodb')).toBe(dynamodb);

    await expectCleanClose(app, ['dynamodb', 'redis']);
    await server.clients(0);
  });

  it('is not asked for anything while no client is used', async () => {
    const app = await bootApp({ imports: [configOf({}), AppClientsModule] });
    expect(
      registryOf(app)
        .status()
        .map(({ state }) => state),
    ).toEqual(['idle', 'idle']);
    await expectCleanClose(app, []);
  });

  it('fails the bootstrap with the name of the client and of the variable that is missing', async () => {
    const config = configOf({ AWS_REGION: 'eu-south-2' });
    const error = await rejection(bootApp({ imports: [config, AppClientsModule], providers: [Stats] }));
    expect(error).toMatchObject({ code: 'CLIENTS_CREATE_FAILED', client: 'redis' });
    expect(error.message).toContain('REDIS_URL');
  });

  it('is what docs/neighbours.md shows', async () => {
    expect(await codeBlocksOf('docs/neighbours.md')).toContain(await asPublished('test/neighbours/config.recipe.ts'));
  });
});
