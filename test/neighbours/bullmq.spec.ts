import { BullModule, InjectQueue, Processor, WorkerHost, getQueueToken } from '@nestjs/bullmq';
import { Inject, Injectable, type BeforeApplicationShutdown, type INestApplication, type Type } from '@nestjs/common';
import { QueueEvents, type Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { REDIS_CLIENT, InjectRedis, redisClient } from '../../src/redis/index.js';
import { closeAllClients } from '../../src/testing/index.js';
import { bootApp, clientsOf, registryOf, rejection, turn } from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { configOf, expectCleanClose } from './app-of-neighbours.js';
import { AppClientsModule, QueuesModule, ThumbnailsProcessor, ThumbnailsQueueModule } from './bullmq.recipe.js';

@Injectable()
class Gallery {
  constructor(
    @InjectRedis() readonly redis: Redis,
    @InjectRedis('queues') readonly queues: Redis,
    @InjectQueue('thumbnails') readonly thumbnails: Queue,
  ) {}
}

describeWithRedis('@nestjs/bullmq', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());
  beforeEach(() => server.command('FLUSHALL'));

  const boot = async (providers: Type[], logger?: RecordingLogger): Promise<INestApplication> =>
    bootApp(
      {
        imports: [configOf({ REDIS_URL: server.url }), AppClientsModule, QueuesModule, ThumbnailsQueueModule],
        providers: [Gallery, ...providers],
      },
      logger && { logger },
    );

  /** Says when jobs are done; on a connection of its own. */
  const listen = async (): Promise<QueueEvents> => {
    const events = new QueueEvents('thumbnails', {
      connection: { host: server.host, port: server.port, maxRetriesPerRequest: null },
    });
    onTestFinished(() => events.close());
    await events.waitUntilReady();
    return events;
  };

  it('runs queues and workers on the shared clients', async () => {
    const app = await boot([ThumbnailsProcessor]);
    const events = await listen();
    const { thumbnails } = app.get(Gallery);
    const jobs = [await thumbnails.add('make', { image: 'cat' }), await thumbnails.add('make', { image: 'cat' })];

    expect(await Promise.all(jobs.map((job) => job.waitUntilFinished(events)))).toEqual([1, 2]);
    expect(await server.command('GET', 'thumbnails:cat')).toBe('2');
  });

  it('shares one client among queues and workers, and opens a second connection for workers to block on', async () => {
    const app = await boot([ThumbnailsProcessor]);
    const { redis, queues, thumbnails } = app.get(Gallery);
    const { worker } = app.get(ThumbnailsProcessor);
    await Promise.all([redis.ping(), thumbnails.waitUntilReady(), worker.waitUntilReady()]);

    expect(queues).not.toBe(redis);
    expect(thumbnails.opts.connection).toBe(queues);
    expect(worker.opts.connection).toBe(queues);
    await server.clients(3); // redis, queues, and the worker's own
  });

  it('ends the read that an idle worker blocks on, in time and in silence', async () => {
    const logger = new RecordingLogger();
    const app = await boot([ThumbnailsProcessor], logger);
    await app.get(ThumbnailsProcessor).worker.waitUntilReady();
    while (!(await server.command('INFO', 'clients')).includes('blocked_clients:1\r\n'));

    const began = performance.now();
    await expectCleanClose(app, ['queues', 'redis']);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(logger.lines.filter((line) => !line.startsWith('log: '))).toEqual([]);
    await server.clients(0);
  });

  it('lets a producer share the client that handlers use', async () => {
    @Injectable()
    class Producer {
      constructor(
        @InjectRedis() readonly redis: Redis,
        @Inject(getQueueToken('letters')) readonly letters: Queue,
      ) {}
    }
    const app = await bootApp({
      imports: [
        clientsOf({ redis: redisClient(server.url) }),
        BullModule.forRootAsync({ inject: [REDIS_CLIENT], useFactory: (connection: Redis) => ({ connection }) }),
        BullModule.registerQueue({ name: 'letters' }),
      ],
      providers: [Producer],
    });
    const { redis, letters } = app.get(Producer);
    await letters.add('send', { to: 'me' });

    expect(letters.opts.connection).toBe(redis);
    expect(await letters.getJobCounts('waiting')).toEqual({ waiting: 1 });
    await server.clients(1);
    await expectCleanClose(app, ['redis']);
    await server.clients(0);
  });

  it('refuses a worker on a client that gives up commands', async () => {
    @Processor('letters')
    class LettersProcessor extends WorkerHost {
      async process(): Promise<void> {}
    }
    onTestFinished(() => closeAllClients());
    const error = await rejection(
      bootApp({
        imports: [
          clientsOf({ redis: redisClient(server.url) }),
          BullModule.forRootAsync({ inject: [REDIS_CLIENT], useFactory: (connection: Redis) => ({ connection }) }),
          BullModule.registerQueue({ name: 'letters' }),
        ],
        providers: [LettersProcessor],
      }),
    );
    expect(error.message).toContain('maxRetriesPerRequest must be null');
  });

  it('refuses a client with a keyPrefix', async () => {
    onTestFinished(() => closeAllClients());
    const error = await rejection(
      bootApp({
        imports: [
          clientsOf({ redis: redisClient({ url: server.url, keyPrefix: 'app:' }) }),
          BullModule.forRootAsync({ inject: [REDIS_CLIENT], useFactory: (connection: Redis) => ({ connection }) }),
          BullModule.registerQueue({ name: 'letters' }),
        ],
      }),
    );
    expect(error.message).toContain('does not support ioredis prefixes');
  });

  it('finishes the job in progress before its clients are closed, and leaves nothing open', async () => {
    const [started, stopping, mayFinish] = [deferred(), deferred(), deferred()];
    const journal: string[] = [];

    @Processor('thumbnails')
    class SlowProcessor extends WorkerHost {
      constructor(@InjectRedis() readonly redis: Redis) {
        super();
      }

      async process(): Promise<void> {
        started.resolve();
        await mayFinish.promise;
        journal.push(`job done ${await this.redis.incr('done')}`);
      }
    }
    @Injectable()
    class Shutdown implements BeforeApplicationShutdown {
      beforeApplicationShutdown(): void {
        stopping.resolve();
      }
    }
    const logger = new RecordingLogger();
    const app = await boot([SlowProcessor, Shutdown], logger);
    registryOf(app).events$.subscribe(({ type, client }) => {
      if (type.startsWith('clos')) journal.push(`${type} ${client}`);
    });
    const { thumbnails } = app.get(Gallery);
    await thumbnails.add('make', {});
    await started.promise;

    const closed = app.close();
    await stopping.promise;
    await turn();
    mayFinish.resolve();
    await closed;

    expect(journal[0]).toBe('job done 1');
    expect(journal.slice(1)).toEqual(['closing queues', 'closed queues', 'closing redis', 'closed redis']);
    expect(logger.lines.filter((line) => !line.startsWith('log: '))).toEqual([]);
    await server.clients(0);
    expect(await server.command('LLEN', 'bull:thumbnails:active')).toBe('0');
    expect(await server.command('ZCARD', 'bull:thumbnails:completed')).toBe('1');
  });

  it('is what docs/neighbours.md shows', async () => {
    expect(await codeBlocksOf('docs/neighbours.md')).toContain(await asPublished('test/neighbours/bullmq.recipe.ts'));
  });
});
