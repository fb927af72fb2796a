import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { PutItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  Controller,
  Inject,
  Injectable,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import type { Redis } from 'ioredis';
import { ClientRegistry, ClientsModule, defineClient, getClientToken } from '../../../src/index.js';
import { InjectDynamoDB, dynamoDBClient } from '../../../src/dynamodb/index.js';
import { InjectRedis, redisClient } from '../../../src/redis/index.js';
import type { BootstrapSettings, Moment } from './moments.js';
import { say, settings } from './parent.js';
import { createAdapter } from './platform.js';

const { redis, dynamodb, how, platform, moment } = settings as BootstrapSettings;

function reach(reached: Moment): void {
  if (reached !== moment) return;
  say('reached', reached);
  if (how === 'fails') throw new Error(`failing ${reached}`);
  if (how === 'gets a signal') process.kill(process.pid, 'SIGTERM');
}

@Injectable()
class Consumer implements OnModuleInit, OnApplicationBootstrap {
  constructor(
    @InjectRedis() readonly client: Redis,
    @InjectDynamoDB() readonly database: DynamoDBClient,
    @Inject(getClientToken('slow')) readonly slow: object,
  ) {
    reach('in the constructor of a consumer');
  }

  async onModuleInit(): Promise<void> {
    reach('in onModuleInit of a consumer');
    const waited = delay(30);
    reach('while onModuleInit takes its time');
    await waited;
    reach('when onModuleInit has taken its time');
  }

  async onApplicationBootstrap(): Promise<void> {
    reach('in onApplicationBootstrap of a consumer');
    const waited = delay(30);
    reach('while onApplicationBootstrap takes its time');
    await waited;
    reach('when onApplicationBootstrap has taken its time');
  }
}

@Controller()
class HttpController {
  constructor(readonly consumer: Consumer) {}
}

function clientsModule(): DynamicModule {
  return ClientsModule.forRoot({
    clients: {
      redis: redisClient({ inject: ['BEFORE'], useFactory: () => redis }),
      dynamodb: dynamoDBClient({ inject: ['BEFORE'], useFactory: () => dynamodb }),
      slow: defineClient({
        inject: [getClientToken('redis')],
        create: async () => {
          reach('while a client is created');
          await delay(30);
          return { close: () => {} };
        },
        close: () => {},
      }),
    },
  });
}

@Module({
  imports: [
    {
      module: class EarlyModule {},
      global: true,
      providers: [
        {
          provide: 'BEFORE',
          useFactory: async () => {
            await delay(20);
            reach('while a factory runs, before any client');
            return {};
          },
        },
      ],
      exports: ['BEFORE'],
    },
    new Promise<DynamicModule>((resolve, reject) => {
      setImmediate(() => {
        try {
          reach('while modules are resolved');
          resolve(clientsModule());
        } catch (error) {
          reject(error);
        }
      });
    }),
  ],
  controllers: [HttpController],
  providers: [
    Consumer,
    {
      provide: 'AFTER',
      inject: [Consumer, ClientRegistry],
      useFactory: async () => {
        await delay(20);
        reach('while a factory runs, after all clients');
      },
    },
  ],
})
class AppModule {}

process.on('unhandledRejection', (error) => say('crash', String(error)));
process.once('exit', () => say('exiting'));

async function boot(): Promise<void> {
  reach('before anything');
  const adapter = await createAdapter(platform);
  const app = await NestFactory.create(AppModule, adapter, { logger: false, abortOnError: false });
  reach('when the application is created');
  app.enableShutdownHooks();
  reach('when shutdown hooks are enabled');
  const registry = app.get(ClientRegistry);
  const connected = new Promise<void>((resolve) => {
    registry.events$.subscribe(({ type, client }) => {
      if (type === 'connected' && client === 'redis') resolve();
    });
  });
  await app.init();
  say('bootstrapped');
  reach('when initialisation ends, connecting');
  await connected;
  reach('when the first connection is open');
  await app.listen(0, '127.0.0.1');
  reach('when the server listens');
  await app.get(Consumer).client.incr('a');
  await app.get(Consumer).database.send(new PutItemCommand({ TableName: 'visits', Item: { id: { S: 'a' } } }));
  reach('when the first command was answered');
}

async function compile(): Promise<void> {
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  if (how === 'compiles and builds') await module.get(ClientRegistry).get('redis');
  if (how === 'compiles and creates an application') module.createNestApplication();
  say('reached', 'compiled');
}

// Nest has no hook for the creation of a client, so these moments come from the clients' own events.
const created: string[] = [];
const { subscribe } = await import('node:diagnostics_channel');
subscribe('nestjs-clients:registry', (registry) => {
  (registry as ClientRegistry).events$.subscribe(({ type, client }) => {
    if (type !== 'created') return;
    created.push(client);
    if (created.length === 1) reach('when the first client is created');
    if (created.length === 2) reach('when the second client is created');
  });
});

await (how.startsWith('compiles') ? compile() : boot()).catch((error: Error) => say('failed', error.message));
