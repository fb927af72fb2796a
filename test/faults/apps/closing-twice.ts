import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientRegistry, ClientsModule, defineClient } from '../../../src/index.js';
import { redisClient, type RedisClientOptions } from '../../../src/redis/index.js';
import { say, settings } from './parent.js';
import { createAdapter, type Platform } from './platform.js';

/** An app that is told to end in two ways, the second while the first is closing clients, or after it. */
export interface ClosingTwiceSettings {
  redis: RedisClientOptions;
  platform: Platform;
  first: Ending;
  second: Ending;
  when: 'during' | 'after';
}

export type Ending = 'SIGTERM' | 'SIGINT' | 'app.close()' | 'registry.close()';

const { redis, platform, first, second, when } = settings as ClosingTwiceSettings;

const slow = (name: string) =>
  defineClient({ create: () => ({ name }), close: () => delay(100).then(() => say('closed', name)) }, { eager: true });

@Module({
  imports: [
    ClientsModule.forRoot({ clients: { redis: redisClient(redis, { eager: true }), a: slow('a'), b: slow('b') } }),
  ],
})
class AppModule {}

process.on('unhandledRejection', (error) => say('crash', String(error)));

const app = await NestFactory.create(AppModule, await createAdapter(platform), { abortOnError: false });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
const registry = app.get(ClientRegistry);

async function end(ending: Ending): Promise<void> {
  if (ending === 'app.close()') await app.close();
  else if (ending === 'registry.close()') await registry.close();
  else process.kill(process.pid, ending);
}

let seconds: Promise<void> | undefined;
registry.events$.subscribe(({ type, client }) => {
  say('event', { type, client });
  if (type === 'closing' && when === 'during') seconds ??= end(second);
});
await end(first);
if (when === 'after') await end(second);
await seconds;
