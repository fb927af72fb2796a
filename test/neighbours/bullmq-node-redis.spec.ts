import { BullModule, InjectQueue, OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Injectable, type BeforeApplicationShutdown, type INestApplication, type Type } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import type { RedisClientType } from 'redis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { InjectRedis } from '../../src/node-redis/index.js';
import { bootApp, registryOf, turn } from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { configOf, expectCleanClose } from './app-of-neighbours.js';
import { AppClientsModule, QueuesModule } from './bullmq-node-redis.recipe.js';

@Injectable()
class Gallery {
  constructor(
    @InjectRedis() readonly redis: RedisClientType,
    @InjectQueue('thumbnails') readonly thumbnails: Queue,
  ) {}
}

@Processor('thumbnails')
class ThumbnailsProcessor extends WorkerHost {
  readonly errors: Error[] = [];

  constructor(@InjectRedis() private readonly redis: RedisClientType) {
    super();
  }

  process(job: Job<{ image: string }>): Promise<number> {
    return this.redis.incr(`thumbnails:${job.data.image}`);
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.errors.push(error);
  }
}

describeWithRedis('@nestjs/bullmq on node-redis', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());
  beforeEach(() => server.command('FLUSHALL'));

  const boot = async (providers: Type[], logger = new RecordingLogger()): Promise<INestApplication> =>
    bootApp(
      {
        imports: [
          configOf({ REDIS_URL: server.url }),
          AppClientsModule,
          QueuesModule,
          BullModule.registerQueue({ name: 'thumbnails' }),
        ],
        providers: [Gallery, ...providers],
      },
      { logger },
    );

  const until = async (command: string[], reply: string): Promise<void> => {
    while ((await server.command(...command)) !== reply);
  };

  it('gives queue, worker and handlers one client, and the worker a second connection to block on', async () => {
    const app = await boot([ThumbnailsProcessor]);
    const { redis, thumbnails } = app.get(Gallery);
    const { worker } = app.get(ThumbnailsProcessor);
    await thumbnails.addBulk([
      { name: 'make', data: { image: 'cat' } },
      { name: 'make', data: { image: 'cat' } },
    ]);
    await until(['ZCARD', 'bull:thumbnails:completed'], '2');

    expect(await redis.get('thumbnails:cat')).toBe('2');
    expect(thumbnails.opts.connection).toBe(redis);
    expect(worker.opts.connection).toBe(redis);
    await server.clients(2);
  });

  it('ends the read that an idle worker blocks on, in time and in silence, and leaves nothing open', async () => {
    const logger = new RecordingLogger();
    const app = await boot([ThumbnailsProcessor], logger);
    const { worker, errors } = app.get(ThumbnailsProcessor);
    await worker.waitUntilReady();
    while (!(await server.command('INFO', 'clients')).includes('blocked_clients:1\r\n'));

    const began = performance.now();
    await expectCleanClose(app, ['redis']);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(logger.lines.filter((line) => !line.startsWith('log: '))).toEqual([]);
    expect(errors).toEqual([]);
    await server.clients(0);
  });

  it('finishes the job in progress before the client is closed', async () => {
    const [started, stopping, mayFinish] = [deferred(), deferred(), deferred()];
    const journal: string[] = [];

    @Processor('thumbnails')
    class SlowProcessor extends WorkerHost {
      constructor(@InjectRedis() readonly redis: RedisClientType) {
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
    const app = await boot([SlowProcessor, Shutdown]);
    registryOf(app).events$.subscribe(({ type }) => type.startsWith('clos') && journal.push(type));
    await app.get(Gallery).thumbnails.add('make', {});
    await started.promise;

    const closed = app.close();
    await stopping.promise;
    await turn();
    mayFinish.resolve();
    await closed;
    expect(journal).toEqual(['job done 1', 'closing', 'closed']);
    expect(await server.command('ZCARD', 'bull:thumbnails:completed')).toBe('1');
    await server.clients(0);
  });

  it('works on after Redis was away', async () => {
    const app = await boot([ThumbnailsProcessor]);
    const { thumbnails } = app.get(Gallery);
    const { worker, errors } = app.get(ThumbnailsProcessor);
    thumbnails.on('error', () => {}); // without a listener BullMQ prints to the console
    await worker.waitUntilReady();
    await server.stop();
    await server.restart();

    await thumbnails.add('make', { image: 'dog' });
    await until(['ZCARD', 'bull:thumbnails:completed'], '1');
    expect(await server.command('GET', 'thumbnails:dog')).toBe('1');
    expect(errors).not.toEqual([]);
    await expectCleanClose(app, ['redis']);
    await server.clients(0);
  });

  it('is what docs/node-redis.md shows', async () => {
    expect(await codeBlocksOf('docs/node-redis.md')).toContain(
      await asPublished('test/neighbours/bullmq-node-redis.recipe.ts'),
    );
  });
});
