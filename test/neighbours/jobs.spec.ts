import { Injectable, type INestApplication, type ModuleMetadata, type OnApplicationShutdown } from '@nestjs/common';
import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { Cron, ScheduleModule } from '@nestjs/schedule';
import type { Redis } from 'ioredis';
import { firstValueFrom } from 'rxjs';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { InjectRedis, redisClient, redisDuplicate } from '../../src/redis/index.js';
import { bootApp, clientsOf, turn } from '../support/boot-app.js';
import { deferred, type Deferred } from '../support/deferred.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { describeWithRedis, freePort, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { expectCleanClose } from './app-of-neighbours.js';
import { Letters, Orders, Reports } from './jobs.recipe.js';

describeWithRedis('jobs and messages in flight at shutdown', () => {
  let server: RedisServer;
  /** Between the application and the server. */
  let proxy: TcpProxy;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    await server.command('FLUSHALL');
    proxy = await startTcpProxy(server);
    onTestFinished(() => proxy.close());
  });

  interface Started {
    app: INestApplication;
    logger: RecordingLogger;
    /** Settles when every hook but that of this library has been called: clients close next. */
    hooks: Deferred<void>;
  }

  async function start(metadata: ModuleMetadata, prepare?: (app: INestApplication) => void): Promise<Started> {
    const hooks = deferred();
    @Injectable()
    class LastHook implements OnApplicationShutdown {
      onApplicationShutdown(): void {
        hooks.resolve();
      }
    }
    const logger = new RecordingLogger();
    const redis = redisClient({ host: proxy.host, port: proxy.port }, { waitUntilReady: true });
    const app = await bootApp(
      {
        imports: [clientsOf({ redis, reader: redisDuplicate() }), ...(metadata.imports ?? [])],
        controllers: metadata.controllers ?? [],
        providers: [LastHook, ...(metadata.providers ?? [])],
      },
      { logger, ...(prepare && { prepare }) },
    );
    return { app, logger, hooks };
  }

  /** Closes the application while the reply to a command is held back, and lets it through when the clients would close. */
  async function closeInTheMiddle({ app, hooks }: Started, names: readonly string[]): Promise<void> {
    const closed = expectCleanClose(app, names);
    await hooks.promise;
    await turn();
    proxy.thaw();
    await closed;
  }

  const until = async (command: string[], reply: string): Promise<void> => {
    while ((await server.command(...command)) !== reply);
  };
  const quiet = ({ logger }: Started): void =>
    expect(logger.lines.filter((line) => !line.startsWith('log: '))).toEqual([]);

  it('ends a scheduled job on open clients', async () => {
    const started = await start({ imports: [ScheduleModule.forRoot()], providers: [Reports] });
    proxy.holdReplies();
    await server.command('SET', 'visits', '7');
    await until(['EXISTS', 'visits'], '0'); // the job has sent its first command

    await closeInTheMiddle(started, ['redis']);
    expect(await server.command('LINDEX', 'reports', '0')).toBe('7');
    quiet(started);
    await server.clients(0);
  });

  it('cuts off a job that does not run in registry.use()', async () => {
    @Injectable()
    class Careless {
      constructor(@InjectRedis() private readonly redis: Redis) {}

      @Cron('* * * * * *')
      async report(): Promise<void> {
        const visits = await this.redis.getdel('visits');
        if (visits !== null) await this.redis.rpush('reports', visits);
      }
    }
    const started = await start({ imports: [ScheduleModule.forRoot()], providers: [Careless] });
    proxy.holdReplies();
    await server.command('SET', 'visits', '7');
    await until(['EXISTS', 'visits'], '0');

    await closeInTheMiddle(started, ['redis']);
    expect(started.logger.lines.join('\n')).toContain('Connection is closed.');
  });

  it('ends the handling of a message on open clients', async () => {
    const port = await freePort();
    const options = { host: '127.0.0.1', port };
    const started = await start({ controllers: [Orders] }, (app) => {
      app.connectMicroservice({ transport: Transport.TCP, options });
    });
    await started.app.startAllMicroservices();
    const client = ClientProxyFactory.create({ transport: Transport.TCP, options });
    onTestFinished(() => client.close());
    await client.connect();
    proxy.holdReplies();
    const answer = firstValueFrom(client.send('order', 'tea')).catch((error: unknown) => error);
    await until(['GET', 'orders'], '1');

    await closeInTheMiddle(started, ['redis']);
    expect(await server.command('HGET', 'ordered', '1')).toBe('tea');
    quiet(started);
    await answer; // Nest hangs up before the handler has answered
  });

  it('ends what a consumer has taken from a queue, and takes nothing more', async () => {
    const started = await start({ providers: [Letters] });
    await server.command('RPUSH', 'letters', 'first');
    await until(['LLEN', 'sent'], '1');
    while (!(await server.command('INFO', 'clients')).includes('blocked_clients:1\r\n')); // it waits for the next one
    proxy.holdReplies();
    await server.command('RPUSH', 'letters', 'second', 'third');
    await until(['LLEN', 'letters'], '1');

    await closeInTheMiddle(started, ['reader', 'redis']);
    expect(await server.command('LINDEX', 'sent', '1')).toBe('second');
    expect(await server.command('LINDEX', 'letters', '0')).toBe('third');
    quiet(started);
    await server.clients(0);
  });

  it('is what docs/shutdown.md shows', async () => {
    expect(await codeBlocksOf('docs/shutdown.md')).toContain(await asPublished('test/neighbours/jobs.recipe.ts'));
  });
});
