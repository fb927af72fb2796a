import { once } from 'node:events';
import { Injectable } from '@nestjs/common';
import { GlideClient } from '@valkey/valkey-glide';
import { Redis } from 'iovalkey';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { InjectClient } from '../../src/index.js';
import { bootApp, nextEvent, registryOf } from '../support/boot-app.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { configOf, expectCleanClose } from './app-of-neighbours.js';
import { ValkeyModule } from './iovalkey.recipe.js';
import { GlideModule } from './valkey-glide.recipe.js';

@Injectable()
class Counters {
  constructor(@InjectClient('valkey') readonly valkey: Redis) {}
}

@Injectable()
class GlideCounters {
  constructor(@InjectClient('glide') readonly glide: GlideClient) {}
}

const quiet = ({ lines }: RecordingLogger): void =>
  expect(lines.filter((line) => !line.startsWith('log: '))).toEqual([]);

describeWithRedis('iovalkey', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());

  const boot = async () => {
    const logger = new RecordingLogger();
    const imports = [configOf({ VALKEY_URL: server.url }), ValkeyModule];
    const app = await bootApp({ imports, providers: [Counters] }, { logger });
    const { valkey } = app.get(Counters);
    if (valkey.status !== 'ready') await once(valkey, 'ready');
    return { app, logger, valkey, registry: registryOf(app) };
  };

  it('answers what is pending at shutdown, and leaves nothing open', async () => {
    const { app, logger, valkey, registry } = await boot();
    expect(valkey).toBeInstanceOf(Redis);
    expect(await registry.check('valkey')).toMatchObject({ status: 'up' });
    const pending = Array.from({ length: 1_000 }, () => valkey.incr('visits'));

    await expectCleanClose(app, ['valkey']);
    expect((await Promise.all(pending)).at(-1)).toBe(1_000);
    quiet(logger);
    await server.clients(0);
  });

  it('publishes that its connection is lost and back, and is down meanwhile', async () => {
    const { app, registry } = await boot();
    const [lost, back] = [nextEvent(registry, 'disconnected', 'valkey'), nextEvent(registry, 'connected', 'valkey')];
    await server.stop();
    await lost;
    expect(await registry.check('valkey')).toMatchObject({ status: 'down' });
    await server.restart();
    await back;
    expect(await registry.check('valkey')).toMatchObject({ status: 'up' });
    await expectCleanClose(app, ['valkey']);
  });

  it('is what docs/recipes.md shows', async () => {
    expect(await codeBlocksOf('docs/recipes.md')).toContain(await asPublished('test/neighbours/iovalkey.recipe.ts'));
  });
});

describeWithRedis('valkey-glide', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());

  it('is loaded and connected when it is injected, checked, and leaves nothing open', async () => {
    const logger = new RecordingLogger();
    const imports = [configOf({ VALKEY_URL: server.url }), GlideModule];
    const app = await bootApp({ imports, providers: [GlideCounters] }, { logger });
    const { glide } = app.get(GlideCounters);

    expect(glide).toBeInstanceOf(GlideClient);
    expect(await glide.incr('visits')).toBe(1);
    expect(await registryOf(app).check('glide')).toMatchObject({ status: 'up' });
    await expectCleanClose(app, ['glide']);
    quiet(logger);
    await server.clients(0);
  });

  it('opens no connection before bootstrap has succeeded', async () => {
    const app = await bootApp({ imports: [configOf({ VALKEY_URL: server.url }), GlideModule] });
    onTestFinished(() => app.close());
    expect(await server.clientCount()).toBe(0);
    await registryOf(app).get('glide');
    await server.clients(1);
  });

  it('is down while the server is', async () => {
    const other = await startRedisServer();
    onTestFinished(() => other.close());
    const app = await bootApp({
      imports: [configOf({ VALKEY_URL: other.url }), GlideModule],
      providers: [GlideCounters],
    });
    await app.get(GlideCounters).glide.ping();
    await other.stop();

    expect(await registryOf(app).check('glide')).toMatchObject({ status: 'down' });
    await expectCleanClose(app, ['glide']);
  });

  it('is what docs/recipes.md shows', async () => {
    expect(await codeBlocksOf('docs/recipes.md')).toContain(
      await asPublished('test/neighbours/valkey-glide.recipe.ts'),
    );
  });
});
