import { Injectable } from '@nestjs/common';
import type { MongoClient } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { InjectClient } from '../../src/index.js';
import { bootApp, nextEvent, registryOf } from '../support/boot-app.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { startMongoEndpoint } from '../support/mongodb-endpoint.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { configOf, expectCleanClose } from './app-of-neighbours.js';
import { MongoModule } from './mongodb.recipe.js';

@Injectable()
class Books {
  constructor(@InjectClient('mongo') readonly mongo: MongoClient) {}
}

async function boot(url: string, logger = new RecordingLogger()) {
  const imports = [configOf({ MONGODB_URL: url }), MongoModule];
  const app = await bootApp({ imports, providers: [Books] }, { logger });
  return { app, logger, registry: registryOf(app), mongo: app.get(Books).mongo };
}

describe('mongodb', () => {
  it('is connected after bootstrap, checked, and closed with its sessions, with nothing left open', async () => {
    await using server = await startMongoEndpoint();
    const { app, registry, mongo, logger } = await boot(server.url);
    if (registry.status()[0]?.connection !== 'connected') await nextEvent(registry, 'connected', 'mongo');

    expect(await registry.check('mongo')).toMatchObject({ status: 'up' });
    expect(await mongo.db('library').command({ ping: 1 })).toMatchObject({ ok: 1 });
    await expectCleanClose(app, ['mongo']);
    await expect.poll(() => server.commands).toEqual(['ping', 'ping', 'endSessions']);
    await expect.poll(() => server.connections).toBe(0);
    expect(logger.lines.filter((line) => !line.startsWith('log: '))).toEqual([]);
  });

  it('publishes that the server is lost, and that it is back', async () => {
    await using server = await startMongoEndpoint();
    const { app, registry } = await boot(server.url);
    if (registry.status()[0]?.connection !== 'connected') await nextEvent(registry, 'connected', 'mongo');
    expect(await registry.check('mongo')).toMatchObject({ status: 'up' }); // connect() has ended: failing, it gives up

    const lost = nextEvent(registry, 'disconnected', 'mongo');
    await server.stop();
    expect((await lost).error).toBeInstanceOf(Error);
    expect(await registry.check('mongo', { timeout: 300 })).toMatchObject({ status: 'down' });

    const back = nextEvent(registry, 'connected', 'mongo');
    await server.start();
    await back;
    expect(await registry.check('mongo')).toMatchObject({ status: 'up' });
    await expectCleanClose(app, ['mongo']);
  });

  it('is what docs/recipes.md shows', async () => {
    expect(await codeBlocksOf('docs/recipes.md')).toContain(await asPublished('test/neighbours/mongodb.recipe.ts'));
  });
});
