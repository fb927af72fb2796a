import { describe, expect, it } from 'vitest';
import type { ClientRegistry } from '../../src/index.js';
import { bootApp, clientsOf, registryOf, rejection, turn } from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';
import { Journal } from '../support/journal.js';

async function bootWith(journal: Journal, shutdownTimeout = 5_000) {
  const app = await bootApp({ imports: [clientsOf({ main: journal.client('main') }, { shutdownTimeout })] });
  const registry = registryOf(app);
  await registry.get('main');
  return { app, registry };
}

describe('registry.use', () => {
  it('settles as the work does', async () => {
    const { registry } = await bootWith(new Journal());
    expect(await registry.use(() => 7)).toBe(7);
    expect(await registry.use(async () => 'later')).toBe('later');
    expect((await rejection(registry.use(() => Promise.reject(new Error('no luck'))))).message).toBe('no luck');
    const failing = registry.use(() => {
      throw new Error('at once');
    });
    expect((await rejection(failing)).message).toBe('at once');
  });

  it('keeps every client open until the work has settled, and hands out what is built meanwhile', async () => {
    const journal = new Journal();
    const { app, registry } = await bootWith(journal);
    const gate = deferred();
    const work = registry.use(async () => {
      await gate.promise;
      const client = await registry.get('main');
      journal.write('work done');
      return client;
    });
    const closed = app.close();
    await turn();
    await turn();
    expect(journal.of('close')).toEqual([]);
    gate.resolve();
    expect(await work).toBe(journal.built[0]);
    await closed;
    expect(journal.entries.slice(-2)).toEqual(['work done', 'close main']);
  });

  it('closes though the work fails', async () => {
    const journal = new Journal();
    const { app, registry } = await bootWith(journal);
    const gate = deferred();
    const work = rejection(registry.use(() => gate.promise));
    const closed = app.close();
    gate.reject(new Error('no luck'));
    expect((await work).message).toBe('no luck');
    await closed;
    expect(journal.of('close')).toEqual(['close main']);
  });

  it('is not waited for longer than shutdownTimeout', async () => {
    const journal = new Journal();
    const { registry } = await bootWith(journal, 50);
    void registry.use(() => new Promise(() => {}));
    await registry.close().catch(() => {});
    expect(journal.of('close')).toEqual(['close main']);
  });

  it('refuses work that begins once clients close, without calling it', async () => {
    const journal = new Journal();
    const { registry } = await bootWith(journal);
    const gate = deferred();
    void registry.use(() => gate.promise);
    const closed = registry.close();
    const late = (of: ClientRegistry) => rejection(of.use(() => journal.write('late')));
    expect(await late(registry)).toMatchObject({ code: 'CLIENTS_CLOSED' });
    gate.resolve();
    await closed;
    expect((await late(registry)).message).toContain('shutting down');
    expect(journal.of('late')).toEqual([]);
  });

  it('may begin when shutdown has begun and clients are open still', async () => {
    const { registry } = await bootWith(new Journal());
    registry.refuseBuilds();
    expect(await registry.use(() => 'done')).toBe('done');
  });

  it('does not build what is asked for during shutdown', async () => {
    const journal = new Journal();
    const app = await bootApp({ imports: [clientsOf({ main: journal.client('main') })] });
    const gate = deferred();
    const work = rejection(
      registryOf(app).use(async () => {
        await gate.promise;
        return registryOf(app).get('main');
      }),
    );
    const closed = app.close();
    gate.resolve();
    expect(await work).toMatchObject({ code: 'CLIENTS_CLOSED' });
    await closed;
    expect(journal.built).toEqual([]);
  });
});
