import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientRegistry, ClientsModule } from '../../../src/index.js';
import { redisClient, type RedisClientOptions } from '../../../src/redis/index.js';
import { say, settings } from './parent.js';
import { createAdapter, type Platform } from './platform.js';

/** An app that cannot listen, because its port is taken, after bootstrap has opened its connection. */
export interface ListenFailsSettings {
  redis: RedisClientOptions;
  platform: Platform;
  port: number;
  reaction: Reaction;
  connect: 'bootstrap' | 'use';
}

/** How the app handles the error. */
export type Reaction = 'lets it end the process' | 'calls app.close()' | 'logs it, and no more';

const { redis, platform, port, reaction, connect } = settings as ListenFailsSettings;

@Module({ imports: [ClientsModule.forRoot({ clients: { redis: redisClient(redis, { eager: true, connect }) } })] })
class AppModule {}

const app = await NestFactory.create(AppModule, await createAdapter(platform), { logger: false });
app.enableShutdownHooks();
const registry = app.get(ClientRegistry);
const connected = new Promise<void>((resolve) => {
  registry.events$.subscribe(({ type }) => {
    say('event', type);
    if (type === 'connected') resolve();
  });
});

try {
  await app.listen(port, '127.0.0.1');
} catch (error) {
  if (connect === 'bootstrap') await connected;
  say('failed', (error as NodeJS.ErrnoException).code);
  if (reaction === 'lets it end the process') throw error;
  if (reaction === 'calls app.close()') await app.close();
  // A turn later, when the attempt to listen is over.
  setImmediate(() =>
    say(
      'open',
      process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')),
    ),
  );
}
