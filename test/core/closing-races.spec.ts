import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { expect, it, onTestFinished } from 'vitest';
import { defineClient, getClientToken, type ClientRegistry } from '../../src/index.js';
import { bootApp, clientsOf, moduleOf, registryOf, turn } from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';

async function boot(clients: Parameters<typeof clientsOf>[0]): Promise<ClientRegistry> {
  return registryOf(await bootApp({ imports: [clientsOf(clients)] }));
}
const microtasks = async (count: number): Promise<void> => {
  for (let index = 0; index < count; index += 1) await Promise.resolve();
};

it.each([
  ['after bootstrap', boot],
  [
    'before bootstrap has ended',
    async (clients: Parameters<typeof clientsOf>[0]) =>
      registryOf(await NestFactory.create(moduleOf({ imports: [clientsOf(clients)] }), { logger: false })),
  ],
])(
  'closes a client whose build ends in the same turn of the event loop in which shutdown begins, %s',
  async (_, start) => {
    const leaked: number[] = [];
    for (let distance = 0; distance < 20; distance += 1) {
      const gate = deferred();
      let [created, closed] = [0, 0];
      const a = defineClient({
        create: () => gate.promise.then(() => ({ id: (created += 1) })),
        close: () => void (closed += 1),
      });
      const registry = await start({ a });
      const got = registry.get('a').catch(() => {});
      await turn();
      gate.resolve();
      await microtasks(distance);
      await registry.close();
      await got;
      if (created !== closed) leaked.push(distance);
    }
    expect(leaked).toEqual([]);
  },
);

it.each(['base', 'top'])('waits at close for the client that is being built for $0, and closes it', async (asked) => {
  const gate = deferred();
  const journal: string[] = [];
  const base = defineClient({
    create: () => gate.promise.then(() => ({})),
    close: () => void journal.push('closed base'),
  });
  const top = defineClient({
    inject: [getClientToken('base')],
    create: () => ({}),
    close: () => void journal.push('closed top'),
  });
  const registry = await boot({ base, top });
  const refused = registry.get(asked).catch((error: { code: string }) => error.code);
  await turn();
  const closed = registry.close().then(() => journal.push('registry closed'));
  expect(await refused).toBe('CLIENTS_CLOSED');
  await turn();
  expect(journal).toEqual([]);
  gate.resolve();
  await closed;
  expect(journal).toEqual(['closed base', 'registry closed']);
});

it('reports a client of a failed build that does not close within shutdownTimeout', async () => {
  const never = () => new Promise<never>(() => {});
  const a = defineClient(
    { create: () => ({}), check: () => Promise.reject(new Error('down')), close: never },
    { waitUntilReady: true, createTimeout: 20 },
  );
  const app = await bootApp({ imports: [clientsOf({ a }, { shutdownTimeout: 50 })] });
  await registryOf(app)
    .get('a')
    .catch(() => {});
  await expect(registryOf(app).close()).rejects.toMatchObject({ code: 'CLIENTS_CLOSE_FAILED', clients: ['a'] });
});

it('closes every client, dependents first, although the logger throws', async () => {
  const closed: string[] = [];
  const gate = deferred();
  let registry: ClientRegistry;
  registry = await boot({
    base: defineClient({ create: () => ({}), close: () => void closed.push('base') }),
    top: defineClient({
      create: async () => ({ base: await registry.get('base') }),
      close: () => void closed.push('top'),
    }),
  });
  await registry.get('top');
  const broken = (): never => {
    throw new Error('the worker has exited');
  };
  Logger.overrideLogger({ log: broken, warn: broken, error: broken });
  onTestFinished(() => Logger.overrideLogger(false));
  gate.resolve();
  await registry.close().catch(() => {});
  expect(closed).toEqual(['top', 'base']);
});

it('serves an application while another that began the build closes', async () => {
  const gate = deferred();
  const shared = defineClient(
    { create: () => gate.promise.then(() => ({ id: 1 })), close: () => {} },
    { scope: 'process' },
  );
  const [first, second] = [await boot({ shared }), await boot({ shared })];
  const one = first.get('shared').catch(() => {});
  await turn();
  const other = second.get('shared');
  other.catch(() => {});
  await turn();
  const closing = first.close();
  gate.resolve();
  await Promise.all([closing, one]);
  await expect(other).resolves.toBeTruthy();
});

it('never keeps a process-scoped client that another application has closed', async () => {
  const kept: number[] = [];
  for (let distance = 0; distance < 60; distance += 1) {
    const shared = defineClient(
      { create: () => ({ closed: false }), close: (client) => void (client.closed = true) },
      { scope: 'process' },
    );
    const [first, second] = [await boot({ shared }), await boot({ shared })];
    await first.get('shared');
    const got = second.get('shared');
    await microtasks(distance);
    await first.close();
    await got;
    if (((await second.get('shared')) as { closed: boolean }).closed) kept.push(distance);
  }
  expect(kept).toEqual([]);
});

it.each([
  ['a check', (registry: ClientRegistry) => registry.check('a', { timeout: 5_000 })],
  ['waitUntilReady', (registry: ClientRegistry) => registry.get('a').catch(() => {})],
])('leaves no timer behind when %s hangs while it closes', async (how, ask) => {
  const never = () => new Promise(() => {});
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const app = await NestFactory.createApplicationContext(
    moduleOf({
      imports: [
        clientsOf({
          a: defineClient(
            { create: () => ({}), check: never },
            { waitUntilReady: how === 'waitUntilReady', createTimeout: 5_000 },
          ),
        }),
      ],
    }),
    { logger: false },
  );
  const registry = registryOf(app as never);
  if (how === 'a check') await registry.get('a');
  const before = timers();
  void ask(registry);
  await turn();
  await turn();
  await app.close();
  await turn();
  expect(timers()).toBeLessThanOrEqual(before); // the runner has some of its own
});

it('ends bootstrap as soon as it is closed, though it waits until a client is ready', async () => {
  const app = await NestFactory.create(
    moduleOf({
      imports: [
        clientsOf({
          a: defineClient(
            { create: () => ({}), check: () => new Promise(() => {}) },
            { eager: true, waitUntilReady: true, createTimeout: 3_000 },
          ),
        }),
      ],
    }),
    { logger: false, abortOnError: false },
  );
  const initialised = app.init().then(
    () => 'initialised',
    (error: { code: string }) => error.code,
  );
  for (let index = 0; index < 20; index += 1) await turn();
  await app.close();
  expect(await initialised).toBe('CLIENTS_CLOSED');
});

it('publishes that a late client could not be closed', async () => {
  const gate = deferred();
  const registry = await boot({
    a: defineClient(
      { create: () => gate.promise.then(() => ({})), close: () => Promise.reject(new Error('cannot close')) },
      { createTimeout: 50 },
    ),
  });
  const seen: string[] = [];
  registry.events$.subscribe((event) => seen.push('error' in event ? event.error.message : event.type));
  await registry.get('a').catch(() => {});
  gate.resolve();
  for (let index = 0; index < 5; index += 1) await turn();
  expect(seen.join('\n')).toContain('cannot close');
});

it('reports in status why a client was not ready at bootstrap', async () => {
  const app = await NestFactory.create(
    moduleOf({
      imports: [
        clientsOf({
          a: defineClient(
            { create: () => ({}), check: () => Promise.reject(new Error('no server')) },
            { eager: true, waitUntilReady: true, createTimeout: 50 },
          ),
        }),
      ],
    }),
    { logger: false, abortOnError: false },
  );
  const registry = registryOf(app);
  await app.init().catch(() => {});
  expect(registry.status()[0]?.lastError?.message).toContain('no server');
});

it('closes the client that another is built on although the error of the other throws when it is read', async () => {
  const unreadable = new Proxy(new Error('x'), {
    getPrototypeOf() {
      throw new Error('no prototype');
    },
  });
  const closed: string[] = [];
  let registry: ClientRegistry;
  registry = await boot({
    base: defineClient({ create: () => ({}), close: () => void closed.push('base') }),
    top: defineClient({
      create: async () => ({ base: await registry.get('base') }),
      close: () => Promise.reject(unreadable),
      check: () => Promise.reject(unreadable),
    }),
  });
  await registry.get('top');
  const health = await registry.check('top').catch(String);
  await registry.close().catch(() => {});
  expect([health, closed]).toEqual([expect.objectContaining({ status: 'down' }), ['base']]);
});

it('reports an unused client as down after close, as its status is closed', async () => {
  const registry = await boot({ a: defineClient({ create: () => ({}) }) });
  await registry.close();
  expect(registry.status()[0]?.state).toBe('closed');
  expect((await registry.check('a')).status).toBe('down');
});

it('closes once although a listener calls close() again when the first client closes', async () => {
  const closed: string[] = [];
  const client = (name: string) => defineClient({ create: () => ({ name }), close: () => void closed.push(name) });
  const registry = await boot({ a: client('a'), b: client('b') });
  await Promise.all([registry.get('a'), registry.get('b')]);
  const types: string[] = [];
  let again: Promise<void> | undefined;
  registry.events$.subscribe(({ type }) => {
    types.push(type);
    if (type === 'closing') again ??= registry.close();
  });
  const first = registry.close();
  await first;
  expect(again).toBe(first);
  expect(closed).toEqual(['a', 'b']);
  expect(types.filter((type) => type === 'closed')).toHaveLength(2);
});
