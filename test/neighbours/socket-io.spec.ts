import { once } from 'node:events';
import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import type { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { runExample } from '../docs/examples.js';
import { moduleOf, registryOf } from '../support/boot-app.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { expectCleanClose } from './app-of-neighbours.js';

@WebSocketGateway()
class NewsGateway {
  @WebSocketServer()
  private readonly server!: Server;

  @SubscribeMessage('tell')
  tell(_: unknown, text: string): void {
    this.server.emit('news', text);
  }
}

describeWithRedis('socket.io', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());

  const boot = async () => {
    const { AppClientsModule, useRedisAdapter } = await runExample<{
      AppClientsModule: Type;
      useRedisAdapter: (this: void, app: INestApplication) => Promise<void>;
    }>('docs/neighbours.md', 'RedisIoAdapter', { 'redis://localhost:6379': server.url });
    const logger = new RecordingLogger();
    const root = moduleOf({ imports: [AppClientsModule], providers: [NewsGateway] });
    const app = await NestFactory.create(root, { logger });
    onTestFinished(() => app.close());
    await useRedisAdapter(app);
    await app.listen(0, '127.0.0.1');
    return { app, logger };
  };

  const open = async (app: INestApplication): Promise<Socket> => {
    const socket = io(await app.getUrl(), { transports: ['websocket'], reconnection: false });
    onTestFinished(() => void socket.disconnect());
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    return socket;
  };

  it('reaches the sockets of all instances over the declared connections, and closes them last, in silence', async () => {
    const [one, other] = [await boot(), await boot()];
    const [sender, listener] = [await open(one.app), await open(other.app)];
    const heard = once(listener as never, 'news');
    sender.emit('tell', 'hello');

    expect(await heard).toEqual(['hello']);
    await server.clients(4);
    expect(await registryOf(one.app).check('subscriber')).toMatchObject({ status: 'up' });
    for (const { app, logger } of [one, other]) {
      await expectCleanClose(app, ['redis', 'subscriber']);
      expect(logger.lines.filter((line) => !line.startsWith('log: '))).toEqual([]);
    }
    await server.clients(0);
  });

  it('is what docs/neighbours.md shows', async () => {
    expect(await codeBlocksOf('docs/neighbours.md')).toContain(
      await asPublished('test/neighbours/socket-io.recipe.ts'),
    );
  });
});
