import { Injectable, type INestApplication } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { ClientRegistry, defineClient, getClientToken, InjectClient, type ClientDefinition } from '../../src/index.js';
import {
  bootApp,
  clientsOf,
  moduleOf,
  nextEvent,
  recordEvents,
  registryOf,
  rejection,
  turn,
} from '../support/boot-app.js';
import { Consumer } from '../support/consumer.js';
import { deferred } from '../support/deferred.js';
import { FakeClient, Journal } from '../support/journal.js';
import { RecordingLogger } from '../support/recording-logger.js';

const shared = { scope: 'process' as const };

function boot(main: ClientDefinition<FakeClient>): Promise<INestApplication> {
  return bootApp({ imports: [clientsOf({ main })], providers: [Consumer] });
}

const clientIn = (app: INestApplication) => app.get(Consumer).client;

describe("scope: 'process'", () => {
  it('shares one client, opened once, among all applications', async () => {
    const journal = new Journal();
    const main = journal.client('main', {}, shared);
    const apps = [await boot(main), await boot(main), await boot(main)];
    expect(new Set(apps.map(clientIn))).toEqual(new Set(journal.built));
    expect(journal.entries).toEqual(['create main', 'connect main']);
  });

  it('builds once for applications that boot at the same time', async () => {
    const journal = new Journal();
    const main = journal.client('main', {}, shared);
    await Promise.all([boot(main), boot(main), boot(main)]);
    expect(journal.of('create')).toEqual(['create main']);
  });

  it.each([[[0, 1]], [[1, 0]], [[0, 1, 2]], [[0, 2, 1]], [[1, 0, 2]], [[1, 2, 0]], [[2, 0, 1]], [[2, 1, 0]]])(
    'closes with the last application, when they close in the order %s',
    async (order) => {
      const journal = new Journal();
      const main = journal.client('main', {}, shared);
      const apps: INestApplication[] = [];
      for (const _ of order) apps.push(await boot(main));
      for (const index of order.slice(0, -1)) await apps[index]!.close();
      expect(journal.of('close')).toEqual([]);
      expect(await registryOf(apps[order.at(-1)!]!).check('main')).toMatchObject({ status: 'up' });
      await apps[order.at(-1)!]!.close();
      expect(journal.of('close')).toEqual(['close main']);
    },
  );

  it('closes once when all applications close at the same time', async () => {
    const journal = new Journal();
    const main = journal.client('main', {}, shared);
    const apps = [await boot(main), await boot(main)];
    await Promise.all(apps.map((app) => app.close()));
    expect(journal.of('close')).toEqual(['close main']);
  });

  it('refuses an application that has closed, while another one goes on', async () => {
    const main = new Journal().client('main', {}, shared);
    const [first, second] = [await boot(main), await boot(main)];
    await first.close();
    expect((await rejection(registryOf(first).get('main'))).code).toBe('CLIENTS_CLOSED');
    expect(await registryOf(second).get('main')).toBe(clientIn(second));
  });

  it('shows as closed in an application that has closed, while another one goes on', async () => {
    const main = new Journal().client('main', {}, shared);
    const [first, second] = [await boot(main), await boot(main)];
    await first.close();
    expect(registryOf(first).status()[0]?.state).toBe('closed');
    expect(registryOf(first).peek('main')).toBeUndefined();
    expect(registryOf(second).status()[0]?.state).toBe('open');
  });

  it('is built anew for an application that starts after the last has closed', async () => {
    const journal = new Journal();
    const main = journal.client('main', {}, shared);
    await (await boot(main)).close();
    const app = await boot(main);
    expect(clientIn(app)).toBe(journal.built[1]);
    await app.close();
    expect(journal.of('close')).toHaveLength(2);
  });

  it('is built anew for an application that starts while the old client is closing', async () => {
    const journal = new Journal();
    const release = deferred();
    const closing = deferred();
    const main = journal.client(
      'main',
      {
        close: () => {
          closing.resolve();
          return release.promise;
        },
      },
      shared,
    );
    const closed = (await boot(main)).close();
    await closing.promise;
    const app = await boot(main);
    expect(clientIn(app)).toBe(journal.built[1]);
    release.resolve();
    await closed;
    expect(registryOf(app).status()[0]?.state).toBe('open');
  });

  it('is not held by an application that failed to boot', async () => {
    const journal = new Journal();
    const main = journal.client('main', {}, shared);
    const failing = { provide: 'FAILING', useValue: { onModuleInit: () => Promise.reject(new Error('no boot')) } };
    const app = await boot(main);
    await rejection(bootApp({ imports: [clientsOf({ main })], providers: [Consumer, failing] }));
    await app.close();
    expect(journal.entries).toEqual(['create main', 'connect main', 'close main']);
  });

  it('is used by the next application after one that failed to boot', async () => {
    const journal = new Journal();
    const main = journal.client('main', {}, shared);
    const failing = { provide: 'FAILING', useValue: { onModuleInit: () => Promise.reject(new Error('no boot')) } };
    await rejection(bootApp({ imports: [clientsOf({ main })], providers: [Consumer, failing] }));
    const app = await boot(main);
    await app.close();
    expect(journal.of('close')).toHaveLength(journal.built.length);
  });

  it('is never closed unnoticed under an application that is still booting when the other one closes', async () => {
    const journal = new Journal();
    const main = journal.client('main', {}, shared);
    const first = await boot(main);
    const booting = deferred();
    const go = deferred();
    const hook = () => {
      booting.resolve();
      return go.promise;
    };
    const second = bootApp({
      imports: [clientsOf({ main })],
      providers: [Consumer, { provide: 'SLOW', useValue: { onModuleInit: hook } }],
    });
    await booting.promise;
    await first.close();
    go.resolve();
    const outcome = await second.catch((error: unknown) => error as Error);
    if (outcome instanceof Error) {
      expect(outcome).toMatchObject({ code: 'CLIENTS_CLOSED', client: 'main' });
    } else {
      expect(registryOf(outcome).status()[0]?.state).toBe('open');
      expect(clientIn(outcome)).toBe(await registryOf(outcome).get('main'));
    }
  });

  it('is held by an application that has started and only declares it', async () => {
    const journal = new Journal();
    const main = journal.client('main', {}, shared);
    const user = await boot(main);
    const other = await bootApp({ imports: [clientsOf({ main })] });
    await user.close();
    expect(journal.of('close')).toEqual([]);
    expect(await registryOf(other).get('main')).toBe(journal.built[0]);
    await other.close();
    expect(journal.of('close')).toHaveLength(1);
  });

  it('closes with the first to close of the modules that are compiled and never initialised', async () => {
    const journal = new Journal();
    const main = journal.client('main', {}, shared);
    const compile = () => Test.createTestingModule({ imports: [clientsOf({ main })] }).compile();
    const modules = [await compile(), await compile()];
    for (const module of modules) await module.get(ClientRegistry).get('main');
    await modules[0]?.close();
    expect(journal.of('close')).toHaveLength(1);
    await modules[1]?.close();
    expect(journal.of('close')).toHaveLength(1);
  });

  it('is held by an application that declares it in a module that is loaded lazily', async () => {
    const journal = new Journal();
    const main = journal.client('main', {}, shared);
    const other = await bootApp({ imports: [clientsOf({ other: journal.client('other') })] });
    const Lazy = moduleOf({ imports: [clientsOf({ main })] });
    await other.get(LazyModuleLoader).load(() => Lazy);
    const user = await boot(main);
    await user.close();
    expect(journal.of('close')).toEqual([]);
    await other.close();
    expect(journal.of('close')).toHaveLength(1);
  });

  it('is shared by later applications after the first has closed, although a service brings it a client of one application', async () => {
    @Injectable()
    class Service {
      constructor(@InjectClient('own') readonly own: FakeClient) {}
    }
    const journal = new Journal();
    const main = journal.client('main', { inject: [Service] }, shared);
    const services = moduleOf({ providers: [Service], exports: [Service] });
    const start = () =>
      bootApp({ imports: [clientsOf({ own: journal.client('own'), main }, { imports: [services] })] });
    const first = await start();
    await registryOf(first).get('main');
    const second = await start();
    await registryOf(second).get('main');
    await first.close();
    const third = await start();
    expect(await registryOf(third).get('main')).toBe(await registryOf(second).get('main'));
  });

  it('is not held by an application that booted with the one before, and failed', async () => {
    const journal = new Journal();
    const main = journal.client('main', {}, shared);
    const first = await boot(main);
    const booting = await Test.createTestingModule({ imports: [clientsOf({ main })] }).compile();
    await booting.get(ClientRegistry).get('main');
    await first.close();
    const third = await boot(main);
    expect(await rejection(booting.init())).toMatchObject({ code: 'CLIENTS_CLOSED' });
    await third.close();
    expect(journal.of('close')).toHaveLength(2);
  });

  it('is open and ready when an application that has started gets it, whoever has built it', async () => {
    let connected = false;
    const driver = {
      connect: () => (connected = true),
      check: () => connected || Promise.reject(new Error('not yet')),
    };
    const main = new Journal().client('main', driver, { ...shared, waitUntilReady: true });
    const started = await bootApp({ imports: [clientsOf({ main })] });
    const booting = await Test.createTestingModule({ imports: [clientsOf({ main })] }).compile();
    await booting.get(ClientRegistry).get('main');
    expect(connected).toBe(false);
    await registryOf(started).get('main');
    expect(connected).toBe(true);
    await booting.close();
  });

  it('is checked again by each application after one has found that it is not ready', async () => {
    let ready = false;
    const check = () => ready || Promise.reject(new Error('not yet'));
    const main = new Journal().client('main', { check }, { ...shared, waitUntilReady: true, createTimeout: 50 });
    const holder = await bootApp({ imports: [clientsOf({ main })] });
    const failing = await Test.createTestingModule({ imports: [clientsOf({ main })] }).compile();
    await failing.get(ClientRegistry).get('main');
    expect(await rejection(failing.init())).toMatchObject({ code: 'CLIENTS_CREATE_TIMEOUT' });
    ready = true;
    await boot(main);
    expect(await registryOf(holder).check('main')).toMatchObject({ status: 'up' });
  });

  it('rejects at once for whoever waits for it in an application that closes, while another one goes on building', async () => {
    const journal = new Journal();
    const gate = deferred();
    const create = () => gate.promise.then(() => journal.build('main'));
    const main = journal.client('main', { create }, shared);
    const [first, second] = [
      await bootApp({ imports: [clientsOf({ main })] }),
      await bootApp({ imports: [clientsOf({ main })] }),
    ];
    const given = registryOf(second).get('main');
    const refused = rejection(registryOf(first).get('main'));
    await turn();
    await first.close();
    expect(await refused).toMatchObject({ code: 'CLIENTS_CLOSED' });
    gate.resolve();
    expect(await given).toBe(journal.built[0]);
  });

  it('closes what it is built on with it, and not before', async () => {
    const journal = new Journal();
    const base = journal.client('base', {}, shared);
    const main = journal.client('main', { inject: [getClientToken('base')] }, shared);
    const both = () => bootApp({ imports: [clientsOf({ base, main })], providers: [Consumer] });
    const [first, second] = [await both(), await both()];
    await registryOf(second).get('base');
    await first.close();
    expect(journal.of('close')).toEqual([]);
    await second.close();
    expect(journal.entries.slice(-2)).toEqual(['close main', 'close base']);
  });

  it('keeps what it is built on open for an application that declares the base under another name', async () => {
    const journal = new Journal();
    const base = journal.client('base', {}, shared);
    const main = journal.client('main', { inject: [getClientToken('base')] }, shared);
    const first = await bootApp({ imports: [clientsOf({ base, main })], providers: [Consumer] });
    const second = await bootApp({ imports: [clientsOf({ other: base })] });
    expect(await registryOf(second).get('other')).toBe(journal.built[0]);
    await first.close();
    expect(journal.of('close')).toEqual(['close main']);
    await second.close();
    expect(journal.of('close')).toEqual(['close main', 'close base']);
  });

  it('may be built on by a client of one application', async () => {
    const journal = new Journal();
    const base = journal.client('base', {}, shared);
    const main = journal.client('main', { inject: [getClientToken('base')] });
    const both = () => bootApp({ imports: [clientsOf({ base, main })], providers: [Consumer] });
    const [first, second] = [await both(), await both()];
    await first.close();
    expect(journal.of('close')).toEqual(['close main']);
    await second.close();
    expect(journal.of('close')).toEqual(['close main', 'close main', 'close base']);
  });

  it.each([false, true])(
    'cannot be built on a client of one application: the error says why (eager: %s)',
    async (eager) => {
      const journal = new Journal();
      const base = journal.client('base', {}, { eager });
      const main = journal.client('main', { inject: [getClientToken('base')] }, shared);
      const error = await rejection(bootApp({ imports: [clientsOf({ base, main })], providers: [Consumer] }));
      expect(error).toMatchObject({ code: 'CLIENTS_CREATE_FAILED' });
      expect(error.message).toMatch(/"main".*"process".*"base"/);
    },
  );

  it('closes after what an application that closes at the same time has built on it', async () => {
    const journal = new Journal();
    const [begun, release] = [deferred(), deferred()];
    const base = journal.client('base', {}, shared);
    const close = async () => {
      begun.resolve();
      await release.promise;
      journal.write('closed top');
    };
    const top = journal.client('top', { inject: [getClientToken('base')], close });
    const first = await bootApp({ imports: [clientsOf({ base, top })] });
    await registryOf(first).get('top');
    const second = await bootApp({ imports: [clientsOf({ base })] });
    await registryOf(second).get('base');
    const firstClosed = first.close();
    await begun.promise;
    await second.close();
    release.resolve();
    await firstClosed;
    expect(journal.entries.slice(-2)).toEqual(['closed top', 'close base']);
  });

  it('keeps open what it is built on, however deep, though the application that has built it is gone', async () => {
    const journal = new Journal();
    const logger = new RecordingLogger();
    const asks = (base: string, name: string) => ({
      inject: [ClientRegistry],
      create: async (registry: ClientRegistry) => {
        await registry.get(base);
        return journal.build(name);
      },
    });
    const base = () => journal.client('base', {}, shared);
    const middle = journal.client('middle', { inject: [getClientToken('base')] }, shared);
    const top = journal.client('top', asks('middle', 'top'), shared);
    const first = await bootApp({ imports: [clientsOf({ base: base(), middle, top })] });
    await registryOf(first).get('top');
    const second = await bootApp({ imports: [clientsOf({ base: base(), top, middle })] });
    const third = await bootApp({ imports: [clientsOf({ top })] }, { logger });
    expect(await registryOf(second).get('top')).toBe(await registryOf(third).get('top'));
    await first.close();
    await second.close();
    expect(journal.of('close')).toEqual([]);
    await third.close();
    expect(journal.of('close')).toEqual(['close top', 'close middle', 'close base']);
    expect(logger.ownLines.filter((line) => line.includes('closed'))).toHaveLength(3);
    third.useLogger(false);
  });

  it('closes with what it is built on when nobody holds it: its application failed to boot', async () => {
    const journal = new Journal();
    const base = journal.client('base', {}, shared);
    const main = journal.client('main', { inject: [getClientToken('base')] }, shared);
    const failing = { provide: 'FAILING', useValue: { onModuleInit: () => Promise.reject(new Error('no boot')) } };
    const app = await bootApp({ imports: [clientsOf({ base })] });
    await registryOf(app).get('base');
    await rejection(bootApp({ imports: [clientsOf({ base, main })], providers: [Consumer, failing] }));
    await app.close();
    expect(journal.of('close')).toEqual(['close main', 'close base']);
  });

  it('names what did not close of what it is built on, when it was the last to hold it', async () => {
    const journal = new Journal();
    const base = journal.client('base', { close: () => Promise.reject(new Error('no end')) }, shared);
    const main = journal.client('main', { inject: [getClientToken('base')] }, shared);
    const first = await bootApp({ imports: [clientsOf({ base, main })], providers: [Consumer] });
    const second = await bootApp({ imports: [clientsOf({ base: journal.client('base'), other: main })] });
    await first.close();
    expect(await rejection(registryOf(second).close())).toMatchObject({
      code: 'CLIENTS_CLOSE_FAILED',
      clients: ['other'],
    });
  });

  it('cannot use registry.peek() for a client of one application in create() either', async () => {
    const journal = new Journal();
    const own = journal.client('own');
    const main = journal.client(
      'main',
      { inject: [ClientRegistry], create: (registry: ClientRegistry) => registry.peek('own') as FakeClient },
      shared,
    );
    const registry = registryOf(await bootApp({ imports: [clientsOf({ own, main })] }));
    await registry.get('own');
    const error = await rejection(registry.get('main'));
    expect(error.message).toMatch(/"main".*"process".*"own"/);
  });

  it('rejects at once for whoever waits until it is ready in an application that closes, while another one goes on', async () => {
    const never = () => new Promise(() => {});
    const main = new Journal().client('main', { check: never }, { ...shared, waitUntilReady: true });
    const first = await bootApp({ imports: [clientsOf({ main })] });
    const second = await bootApp({ imports: [clientsOf({ main })] });
    const booting = await Test.createTestingModule({ imports: [clientsOf({ main })] }).compile();
    await booting.get(ClientRegistry).get('main');
    const waiting = rejection(registryOf(first).get('main'));
    await turn();
    await first.close();
    expect(await waiting).toMatchObject({ code: 'CLIENTS_CLOSED', client: 'main' });
    await Promise.all([second.close(), booting.close()]);
  });

  it('is not held by a module that is loaded lazily after its application has closed', async () => {
    const journal = new Journal();
    const main = journal.client('main', {}, shared);
    const first = await bootApp({ imports: [clientsOf({ other: journal.client('other') })] });
    const second = await boot(main);
    await first.close();
    await first.get(LazyModuleLoader).load(() => moduleOf({ imports: [clientsOf({ main })] }));
    await second.close();
    expect(journal.of('close')).toEqual(['close main']);
  });

  it('has one name in an application: a second one is refused', async () => {
    const main = new Journal().client('main', {}, shared);
    for (const imports of [[clientsOf({ main, other: main })], [clientsOf({ main }), clientsOf({ other: main })]]) {
      const error = await rejection(bootApp({ imports }));
      expect(error).toMatchObject({ code: 'CLIENTS_INVALID_OPTIONS' });
      expect(error.message).toMatch(/"other".*"main"/);
    }
  });

  it('is called by its own name in each application: health, errors, and what did not close', async () => {
    let broken = true;
    const driver = {
      create: () => {
        if (broken) throw new Error('no luck');
        return new FakeClient('main');
      },
      close: () => Promise.reject(new Error('no end')),
    };
    const main = new Journal().client('main', driver, shared);
    const first = await bootApp({ imports: [clientsOf({ main })] });
    const second = await bootApp({ imports: [clientsOf({ other: main })] });
    expect(await rejection(registryOf(second).get('other'))).toMatchObject({
      code: 'CLIENTS_CREATE_FAILED',
      client: 'other',
    });
    broken = false;
    await registryOf(second).get('other');
    expect(await registryOf(second).check('other')).toMatchObject({ name: 'other', status: 'up' });
    const slow = new Journal().client(
      'slow',
      { create: () => new Promise<FakeClient>(() => {}) },
      { ...shared, createTimeout: 50 },
    );
    const [third, fourth] = [
      await bootApp({ imports: [clientsOf({ slow })] }),
      await bootApp({ imports: [clientsOf({ mine: slow })] }),
    ];
    const timeouts = [rejection(registryOf(third).get('slow')), rejection(registryOf(fourth).get('mine'))];
    expect(await Promise.all(timeouts)).toMatchObject([
      { code: 'CLIENTS_CREATE_TIMEOUT', client: 'slow' },
      { code: 'CLIENTS_CREATE_TIMEOUT', client: 'mine' },
    ]);
    await first.close();
    const error = await rejection(registryOf(second).close());
    expect(error).toMatchObject({ code: 'CLIENTS_CLOSE_FAILED', clients: ['other'] });
    expect(error.message).toContain('"other" (close() failed: no end');
  });

  it('is never shared by two definitions, however alike', async () => {
    const journal = new Journal();
    await boot(journal.client('main', {}, shared));
    await boot(journal.client('main', {}, shared));
    expect(journal.built).toHaveLength(2);
  });

  it('tries again in every application after a failed build', async () => {
    let attempts = 0;
    const main = defineClient(
      {
        create: () => {
          if (++attempts === 1) throw new Error('no luck');
          return new FakeClient('main');
        },
      },
      shared,
    );
    expect((await rejection(boot(main))).code).toBe('CLIENTS_CREATE_FAILED');
    const app = await boot(main);
    expect(clientIn(app)).toBeInstanceOf(FakeClient);
  });

  it('names, to each application, the client as that application does', async () => {
    const journal = new Journal();
    const main = journal.client('x', { onError: (client, report) => client.on('error', report) }, shared);
    const first = await bootApp({ imports: [clientsOf({ main })], providers: [Consumer] });
    const second = await bootApp({ imports: [clientsOf({ other: main })] });
    await registryOf(second).get('other');
    const heard = nextEvent(registryOf(second), 'error', 'other');
    journal.built[0]?.emit('error', new Error('lost'));
    expect((await heard).client).toBe('other');
    expect(registryOf(first).status()[0]?.lastError?.message).toBe('lost');
  });

  it('publishes nothing more to an application that has closed, nor to one that failed to boot', async () => {
    const journal = new Journal();
    const logger = new RecordingLogger();
    const main = journal.client('main', { onError: (client, report) => client.on('error', report) }, shared);
    const root = { imports: [clientsOf({ main })], providers: [Consumer] };
    const failing = { provide: 'FAILING', useValue: { onModuleInit: () => Promise.reject(new Error('no boot')) } };
    await rejection(bootApp({ ...root, providers: [...root.providers, failing] }));
    const closed = await bootApp(root);
    const app = await bootApp(root, { logger });
    await closed.close();
    const events = recordEvents(registryOf(app));
    journal.built.at(-1)?.emit('error', new Error('lost'));
    expect(events.map(({ type }) => type)).toEqual(['error']);
    // Every registry logs what it hears; a line for each application that ever was would be a flood.
    expect(logger.ownLines.filter((line) => line.includes('lost'))).toHaveLength(1);
    app.useLogger(false);
  });
});
