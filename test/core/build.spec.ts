import { Inject, Injectable, Scope } from '@nestjs/common';
import { LazyModuleLoader, ModuleRef } from '@nestjs/core';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ClientRegistry, defineClient, getClientToken, InjectClient, type ClientDriver } from '../../src/index.js';
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
import { boom, cyclic, cyclicAggregate } from '../support/hostile-errors.js';
import { FakeClient, Journal } from '../support/journal.js';

const many = Array.from({ length: 1_000 });

async function bootRegistry(clients: Parameters<typeof clientsOf>[0]): Promise<ClientRegistry> {
  return registryOf(await bootApp({ imports: [clientsOf(clients)] }));
}

describe('a first use by many at once', () => {
  it('builds one client for 1,000 concurrent get() calls', async () => {
    const journal = new Journal();
    const main = journal.client('main', {
      async create() {
        await turn();
        return journal.build('main');
      },
    });
    const registry = await bootRegistry({ main });
    const clients = await Promise.all(many.map(() => registry.get('main')));
    expect(new Set(clients).size).toBe(1);
    expect(journal.entries).toEqual(['create main', 'connect main']);
  });

  it('builds one client for 1,000 concurrent injections', async () => {
    const journal = new Journal();
    const app = await bootApp({ imports: [clientsOf({ main: journal.client('main') })] });
    const moduleRef = app.get(ModuleRef);
    const consumers = await Promise.all(many.map(() => moduleRef.create(Consumer)));
    expect(new Set(consumers.map(({ client }) => client)).size).toBe(1);
    expect(journal.of('create')).toEqual(['create main']);
  });

  it('builds one client for 1,000 classes that inject it at bootstrap', async () => {
    const journal = new Journal();
    const providers = many.map((_, index) => ({ provide: `consumer ${index}`, useClass: class extends Consumer {} }));
    for (const { useClass } of providers) Inject(getClientToken('main'))(useClass, undefined, 0);
    const app = await bootApp({ imports: [clientsOf({ main: journal.client('main') })], providers });
    const clients = providers.map(({ provide }) => app.get<Consumer>(provide).client);
    expect(new Set(clients)).toEqual(new Set(journal.built));
    expect(journal.built).toHaveLength(1);
  });
});

describe('a build that fails', () => {
  it('rejects for all waiters with the same error, and is tried again by the next use', async () => {
    const journal = new Journal();
    let attempts = 0;
    const main = journal.client('main', {
      async create() {
        await turn();
        if (++attempts === 1) throw new Error('no luck');
        return journal.build('main');
      },
    });
    const registry = await bootRegistry({ main });
    const errors = await Promise.all(many.map(() => rejection(registry.get('main'))));
    expect(new Set(errors).size).toBe(1);
    expect(errors[0]).toMatchObject({ code: 'CLIENTS_CREATE_FAILED', client: 'main' });
    expect(attempts).toBe(1);
    expect(await registry.get('main')).toBe(journal.built[0]);
    expect(registry.status()[0]?.state).toBe('open');
  });

  it('keeps what was thrown as the cause, and quotes it in the message', async () => {
    const cause = new Error('no luck');
    const registry = await bootRegistry({
      main: new Journal().client('main', { create: () => Promise.reject(cause) }),
    });
    const error = await rejection(registry.get('main'));
    expect(error.cause).toBe(cause);
    expect(error.message).toContain('"main"');
    expect(error.message).toContain('no luck');
  });

  it('is published, and shows in status()', async () => {
    const registry = await bootRegistry({
      main: new Journal().client('main', { create: () => Promise.reject(new Error('no luck')) }),
    });
    const events = recordEvents(registry);
    await rejection(registry.get('main'));
    expect(events.map(({ type }) => type)).toEqual(['creating', 'createFailed']);
    expect(registry.status()[0]).toMatchObject({
      state: 'idle',
      lastError: { name: 'ClientsCreateFailedError', message: expect.stringContaining('no luck') as string },
    });
    expect(registry.peek('main')).toBeUndefined();
  });

  it('fails bootstrap if a class injects the client', async () => {
    const main = new Journal().client('main', { create: () => Promise.reject(new Error('no luck')) });
    const error = await rejection(bootApp({ imports: [clientsOf({ main })], providers: [Consumer] }));
    expect(error.code).toBe('CLIENTS_CREATE_FAILED');
  });

  it('closes what create() made when onError throws, and tries again the next time', async () => {
    const journal = new Journal();
    let attempts = 0;
    const main = journal.client('main', {
      onError: () => {
        if (++attempts === 1) throw new Error('cannot subscribe');
      },
    });
    const registry = await bootRegistry({ main });
    expect((await rejection(registry.get('main'))).message).toContain('cannot subscribe');
    expect(journal.entries).toEqual(['create main', 'close main']);
    expect(await registry.get('main')).toBe(journal.built[1]);
  });

  it('destroys what it cannot close', async () => {
    const journal = new Journal();
    const main = journal.client('main', {
      onError: () => {
        throw new Error('cannot subscribe');
      },
      close: () => Promise.reject(new Error('cannot close')),
    });
    const registry = await bootRegistry({ main });
    expect((await rejection(registry.get('main'))).message).toContain('cannot subscribe');
    expect(journal.entries).toEqual(['create main', 'destroy main']);
  });

  const throwing: [string, unknown][] = [
    ['a string', 'no luck'],
    ['undefined', undefined],
    ['null', null],
    ['a number', 42],
    ['a symbol', Symbol('no luck')],
    ['an object with getters that throw', Object.defineProperty({}, 'message', { enumerable: true, get: boom })],
    ['an Error whose message getter throws', Object.defineProperty(new Error('x'), 'message', { get: boom })],
    ['an Error whose message is no string', Object.assign(new Error('x'), { message: { not: 'a string' } })],
    ['an Error whose stack is no string', Object.assign(new Error('x'), { stack: 42 })],
    ['an Error that is its own cause', cyclic(new Error('no luck'))],
    ['an AggregateError that holds itself', cyclicAggregate()],
    ['a frozen Error', Object.freeze(new Error('no luck'))],
    ['an object without prototype', Object.create(null)],
    ['a proxy that cannot be looked at', new Proxy({}, { getPrototypeOf: boom })],
  ];

  it.each(throwing)('reports CLIENTS_CREATE_FAILED when create() throws %s', async (_, value) => {
    const journal = new Journal();
    let attempts = 0;
    const main = journal.client('main', {
      create() {
        if (++attempts === 1) throw value; // eslint-disable-line no-throw-literal
        return journal.build('main');
      },
    });
    const registry = await bootRegistry({ main });
    const error = await rejection(registry.get('main'));
    expect(error).toMatchObject({ code: 'CLIENTS_CREATE_FAILED' });
    expect(error.message).toContain('"main"');
    expect(await registry.get('main')).toBe(journal.built[0]);
  });

  it.each([undefined, null])('reports CLIENTS_CREATE_FAILED when create() returns %s', async (nothing) => {
    const registry = await bootRegistry({ main: defineClient({ create: () => nothing as unknown }) });
    const error = await rejection(registry.get('main'));
    expect(error.code).toBe('CLIENTS_CREATE_FAILED');
    expect(error.message).toMatch(/"main".*returned no client/);
  });

  it('is prevented when a class injects an unknown client: Nest names the class and quotes what to do', async () => {
    class Misspelt {
      constructor(readonly client: unknown) {}
    }
    InjectClient('typo')(Misspelt, undefined, 0);
    const root = { imports: [clientsOf({ main: new Journal().client('main') })], providers: [Misspelt] };
    const error = await rejection(bootApp(root));
    expect(error.message).toMatch(/Misspelt.*typo, to be declared in ClientsModule\.forRoot\(\)/s);
  });

  it('is prevented when a client is built on an unknown one: bootstrap fails and names both', async () => {
    const main = new Journal().client('main', { inject: [getClientToken('typo')] });
    const error = await rejection(bootRegistry({ main }));
    expect(error).toMatchObject({ code: 'CLIENTS_UNKNOWN', client: 'typo' });
    expect(error.message).toMatch(/"typo".*"main" is built.*Declared.*"main"/s);
  });

  it('in a lazily loaded module does not affect the next lazily loaded module', async () => {
    const journal = new Journal();
    const app = await bootApp({ imports: [clientsOf({ main: journal.client('main') })] });
    const loader = app.get(LazyModuleLoader);
    const bad = moduleOf({
      imports: [clientsOf({ bad: journal.client('bad', { inject: [getClientToken('typo')] }) })],
    });
    const good = moduleOf({ imports: [clientsOf({ good: journal.client('good') })] });
    expect(await rejection(loader.load(() => bad))).toMatchObject({ code: 'CLIENTS_UNKNOWN' });
    await loader.load(() => good);
    expect(await registryOf(app).get('good')).toBe(journal.built[0]);
  });

  it('says which client injects something that Nest does not know', async () => {
    const registry = await bootRegistry({ main: new Journal().client('main', { inject: ['NOWHERE'] }) });
    const error = await rejection(registry.get('main'));
    expect(error.code).toBe('CLIENTS_CREATE_FAILED');
    expect(error.message).toMatch(/"main".*NOWHERE/s);
  });
});

describe('createTimeout', () => {
  it('rejects for the waiters, and the client that is created late is closed', async () => {
    const journal = new Journal();
    const late = deferred();
    const closed = deferred();
    const main = journal.client(
      'main',
      {
        async create() {
          await late.promise;
          return journal.build('main');
        },
        close() {
          journal.write('close main');
          closed.resolve();
        },
      },
      { createTimeout: 20 },
    );
    const registry = await bootRegistry({ main });
    const error = await rejection(registry.get('main'));
    expect(error).toMatchObject({ code: 'CLIENTS_CREATE_TIMEOUT', client: 'main' });
    expect(error.message).toMatch(/"main".*20 ms.*create\(\)/);
    late.resolve();
    await closed.promise;
    expect(journal.entries).toEqual(['create main', 'close main']);
    expect(registry.status()[0]?.state).toBe('idle');
  });

  it('publishes that a late client cannot be closed', async () => {
    const late = deferred();
    const main = defineClient(
      { create: () => late.promise.then(() => ({})), close: () => Promise.reject(new Error('cannot')) },
      { createTimeout: 20 },
    );
    const registry = await bootRegistry({ main });
    await rejection(registry.get('main'));
    const failed = nextEvent(registry, 'closeFailed', 'main');
    late.resolve();
    expect((await failed).error.message).toMatch(/cannot/);
    expect(registry.status()[0]).toMatchObject({ state: 'idle', lastError: { message: 'close() failed: cannot' } });
  });

  it('does not let a late client replace the one built since', async () => {
    const journal = new Journal();
    const late = deferred();
    const closed = deferred<FakeClient>();
    let attempts = 0;
    const main = journal.client(
      'main',
      {
        async create() {
          if (++attempts === 1) await late.promise;
          return journal.build('main');
        },
        close: (client) => closed.resolve(client),
      },
      { createTimeout: 20 },
    );
    const registry = await bootRegistry({ main });
    await rejection(registry.get('main'));
    const second = await registry.get('main');
    late.resolve();
    expect(await closed.promise).not.toBe(second);
    expect(await registry.get('main')).toBe(second);
    expect(registry.status()[0]?.state).toBe('open');
  });

  it('does not report background errors of a late client as those of the one built since', async () => {
    const journal = new Journal();
    const late = deferred();
    const closed = deferred<FakeClient>();
    let attempts = 0;
    const main = journal.client(
      'main',
      {
        async create() {
          if (++attempts === 1) await late.promise;
          return journal.build('main');
        },
        onError: (client, report) => client.on('error', report),
        close: (client) => closed.resolve(client),
      },
      { createTimeout: 20 },
    );
    const registry = await bootRegistry({ main });
    const events = recordEvents(registry);
    await rejection(registry.get('main'));
    await registry.get('main');
    late.resolve();
    (await closed.promise).emit('error', new Error('of a client that nobody has'));
    expect(events.filter(({ type }) => type === 'error')).toEqual([]);
  });

  it('closes a late client even after the application has closed', async () => {
    const journal = new Journal();
    const late = deferred();
    const closed = deferred();
    const main = journal.client(
      'main',
      {
        async create() {
          await late.promise;
          return journal.build('main');
        },
        close: () => closed.resolve(),
      },
      { createTimeout: 20, closeTimeout: 20 },
    );
    const app = await bootApp({ imports: [clientsOf({ main })] });
    await rejection(registryOf(app).get('main'));
    await app.close();
    late.resolve();
    await closed.promise;
    expect(journal.entries).toEqual(['create main']);
  });

  it('covers what the client injects, and its error says that it waits for that', async () => {
    const never = deferred<string>();
    const main = new Journal().client('main', { inject: ['SLOW'] }, { createTimeout: 20 });
    const slow = moduleOf({ providers: [slowProvider(never.promise)], exports: ['SLOW'] }, 'SlowModule');
    const error = await rejection(
      bootApp({ imports: [clientsOf({ main }, { imports: [slow] })], providers: [Consumer] }),
    );
    expect(error.code).toBe('CLIENTS_CREATE_TIMEOUT');
    expect(error.message).toContain('what it injects');
    never.resolve('too late');
  });
});

function slowProvider(value: Promise<string>): { provide: string; useFactory: () => Promise<string> } {
  return { provide: 'SLOW', useFactory: () => value };
}

describe('what a client is built on', () => {
  it('is passed to create() in the order of inject', async () => {
    const journal = new Journal();
    const received: unknown[][] = [];
    const settings = moduleOf(
      {
        providers: [
          { provide: 'URL', useValue: 'the url' },
          { provide: 'PORT', useValue: 1 },
        ],
        exports: ['URL', 'PORT'],
      },
      'SettingsModule',
    );
    const main = journal.client('main', {
      inject: ['PORT', getClientToken('base'), 'URL'],
      create: (...values: unknown[]) => {
        received.push(values);
        return journal.build('main');
      },
    });
    const clients = clientsOf({ main, base: journal.client('base') }, { imports: [settings] });
    const app = await bootApp({ imports: [clients], providers: [Consumer] });
    expect(received).toEqual([[1, await registryOf(app).get('base'), 'the url']]);
    expect(journal.of('create')).toEqual(['create base', 'create main']);
  });

  it('may be injected through a service', async () => {
    const journal = new Journal();
    @Injectable()
    class Service {
      constructor(@InjectClient('base') readonly base: FakeClient) {}
    }
    const services = moduleOf({ providers: [Service], exports: [Service] }, 'ServicesModule');
    const main = journal.client('main', {
      inject: [Service],
      create: (service: Service) => journal.build(`main on ${service.base.clientName}`),
    });
    const clients = clientsOf({ main, base: journal.client('base') }, { imports: [services] });
    await bootApp({ imports: [clients], providers: [Consumer] });
    expect(journal.of('create')).toEqual(['create base', 'create main on base']);
  });

  it('may be asked for with registry.get() inside create()', async () => {
    const journal = new Journal();
    const main = journal.client('main', {
      inject: [ClientRegistry],
      create: async (registry: ClientRegistry) => {
        await registry.get('base');
        return journal.build('main');
      },
    });
    const registry = await bootRegistry({ main, base: journal.client('base') });
    await registry.get('main');
    expect(journal.of('create')).toEqual(['create base', 'create main']);
  });

  it('cannot be request-scoped: the error says so', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      readonly made = true;
    }
    const services = moduleOf({ providers: [PerRequest], exports: [PerRequest] }, 'ServicesModule');
    const main = defineClient({ inject: [PerRequest], create: (value: unknown) => ({ value }) });
    const app = await bootApp({ imports: [clientsOf({ main }, { imports: [services] })] });
    const outcome = await registryOf(app)
      .get('main')
      .catch((error: unknown) => error);
    expect(outcome).toMatchObject({ code: 'CLIENTS_CREATE_FAILED' });
  });

  it('may be asked for by an async provider before anything else is built', async () => {
    const journal = new Journal();
    const provider = {
      provide: 'EARLY',
      inject: [ClientRegistry],
      useFactory: (registry: ClientRegistry) => registry.get('main'),
    };
    const app = await bootApp({ imports: [clientsOf({ main: journal.client('main') })], providers: [provider] });
    expect(app.get<unknown>('EARLY')).toBe(journal.built[0]);
  });

  it('may be asked for by an async provider of a module imported before the clients', async () => {
    const journal = new Journal();
    const provider = {
      provide: 'EARLY',
      inject: [ClientRegistry],
      useFactory: (registry: ClientRegistry) => registry.get('main'),
    };
    const feature = moduleOf({ providers: [provider] }, 'FeatureModule');
    const elsewhere = moduleOf({ imports: [clientsOf({ main: journal.client('main') })] }, 'ElsewhereModule');
    const app = await bootApp({ imports: [feature, clientsOf({ other: journal.client('other') }), elsewhere] });
    expect(app.get<unknown>('EARLY')).toBe(journal.built[0]);
  });

  it('is named in the error when it fails, with its own error as the cause', async () => {
    const base = new Journal().client('base', { create: () => Promise.reject(new Error('no luck')) });
    const main = new Journal().client('main', { inject: [getClientToken('base')] });
    const error = await rejection((await bootRegistry({ base, main })).get('main'));
    expect(error).toMatchObject({ code: 'CLIENTS_CREATE_FAILED', client: 'main' });
    expect(error.message).toMatch(/"main".*"base".*no luck/);
  });
});

describe('a client that is built on itself', () => {
  const asks = (name: string): Pick<ClientDriver<FakeClient>, 'inject' | 'create'> => ({
    inject: [ClientRegistry],
    create: (registry: ClientRegistry) => registry.get(name) as Promise<FakeClient>,
  });
  const injects = (name: string) => ({ inject: [getClientToken(name)] });
  const WAYS = [['inject', injects] as const, ['registry.get()', asks] as const];
  const journal = new Journal();
  const lifecycle = { createTimeout: 5_000 };

  it.each(WAYS)('is refused at once, by its path, through %s', async (_, on) => {
    const registry = await bootRegistry({ a: journal.client('a', on('a'), lifecycle) });
    const error = await rejection(registry.get('a'));
    expect(error.code).toBe('CLIENTS_CREATE_FAILED');
    expect(error.message).toContain('"a" -> "a"');
  });

  it.each(WAYS)('is refused at once, by its path, over two others through %s', async (_, on) => {
    const registry = await bootRegistry({
      a: journal.client('a', on('b'), lifecycle),
      b: journal.client('b', on('c'), lifecycle),
      c: journal.client('c', on('a'), lifecycle),
    });
    const error = await rejection(registry.get('a'));
    expect(error.code).toBe('CLIENTS_CREATE_FAILED');
    expect(error.message).toContain('"c" -> "a" -> "b" -> "c"');
  });

  it.each(WAYS)('is refused when two builds that began at once wait for each other through %s', async (_, on) => {
    const registry = await bootRegistry({
      a: journal.client('a', on('b'), lifecycle),
      b: journal.client('b', on('a'), lifecycle),
    });
    const [a, b] = await Promise.all([rejection(registry.get('a')), rejection(registry.get('b'))]);
    for (const error of [a, b]) {
      expect(error.code).toBe('CLIENTS_CREATE_FAILED');
      expect(error.message).toMatch(/"(a|b)" -> "(a|b)" -> "(a|b)"/);
    }
  });

  it('is refused at once if it is eager', async () => {
    const clients = clientsOf({
      a: journal.client('a', asks('b'), { eager: true, createTimeout: 1_000 }),
      b: journal.client('b', asks('a'), { eager: true, createTimeout: 1_000 }),
    });
    const error = await rejection(bootApp({ imports: [clients] }));
    expect(error).toMatchObject({ code: 'CLIENTS_CREATE_FAILED' });
    expect(error.message).toMatch(/"(a|b)" -> "(a|b)" -> "(a|b)"/);
  });

  it('is refused, at the latest after createTimeout, through a service that Nest is building', async () => {
    @Injectable()
    class Service {
      constructor(@InjectClient('a') readonly a: FakeClient) {}
    }
    const services = moduleOf({ providers: [Service], exports: [Service] }, 'ServicesModule');
    const a = journal.client('a', { inject: [Service] }, { createTimeout: 50 });
    const error = await rejection(bootApp({ imports: [clientsOf({ a }, { imports: [services] })] }));
    expect(error.code).toMatch(/^CLIENTS_CREATE_(FAILED|TIMEOUT)$/);
    expect(error.message).toContain('"a"');
  });

  it('is built once it no longer asks for itself', async () => {
    let broken = true;
    const a = journal.client('a', {
      inject: [ClientRegistry],
      create: async (registry: ClientRegistry) => {
        if (broken) await registry.get('a');
        return journal.build('a');
      },
    });
    const registry = await bootRegistry({ a });
    await rejection(registry.get('a'));
    broken = false;
    expect(await registry.get('a')).toBeInstanceOf(FakeClient);
  });
});

describe('connect', () => {
  it('is called after every bootstrap hook, not when the client is built', async () => {
    const journal = new Journal();
    const hooks = (name: string) => ({
      provide: name,
      useValue: {
        onModuleInit: () => journal.write(`init ${name}`),
        onApplicationBootstrap: () => journal.write(`bootstrap ${name}`),
      },
    });
    await bootApp({
      imports: [
        moduleOf({ providers: [hooks('before')] }, 'BeforeModule'),
        clientsOf({ main: journal.client('main') }),
        moduleOf({ providers: [hooks('after')] }, 'AfterModule'),
      ],
      providers: [Consumer, hooks('root')],
    });
    expect(journal.entries[0]).toBe('create main');
    expect(journal.entries.at(-1)).toBe('connect main');
    expect(journal.entries).toHaveLength(8);
  });

  it('is called at once for a client that is built after bootstrap, and published', async () => {
    const journal = new Journal();
    const registry = await bootRegistry({ main: journal.client('main') });
    const connected = nextEvent(registry, 'connected', 'main');
    await registry.get('main');
    expect(journal.entries).toEqual(['create main', 'connect main']);
    expect((await connected).duration).toBeGreaterThanOrEqual(0);
  });

  it('does not make bootstrap or an injection wait', async () => {
    const never = deferred();
    const main = new Journal().client('main', { connect: () => never.promise });
    const late = new Journal().client('late', { connect: () => never.promise });
    const app = await bootApp({ imports: [clientsOf({ main, late })], providers: [Consumer] });
    expect(await registryOf(app).get('late')).toBeInstanceOf(FakeClient);
    never.resolve();
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('refused'))],
    [
      'throws',
      () => {
        throw new Error('refused');
      },
    ],
  ])('is a background error when it %s, and the client stays open', async (_, connect) => {
    const registry = await bootRegistry({ main: new Journal().client('main', { connect }) });
    const events = recordEvents(registry);
    const client = await registry.get('main');
    await turn();
    expect(events.map(({ type }) => type)).toEqual(['creating', 'created', 'error']);
    expect(await registry.get('main')).toBe(client);
    expect(registry.status()[0]).toMatchObject({ state: 'open', lastError: { message: 'refused' } });
  });

  it.each([{ connect: 'use' as const }, { connect: 'use' as const, eager: true }])(
    'is not called with $0',
    async (lifecycle) => {
      const journal = new Journal();
      const app = await bootApp({
        imports: [clientsOf({ main: journal.client('main', {}, lifecycle) })],
        providers: [Consumer],
      });
      await registryOf(app).get('main');
      await turn();
      expect(journal.entries).toEqual(['create main']);
    },
  );

  it('is called once for a client that two others are built on', async () => {
    const journal = new Journal();
    const on = { inject: [getClientToken('base')] };
    const app = await bootApp({
      imports: [
        clientsOf({ main: journal.client('main', on), b: journal.client('b', on), base: journal.client('base') }),
      ],
      providers: [Consumer],
    });
    await registryOf(app).get('b');
    expect(journal.of('connect').toSorted()).toEqual(['connect b', 'connect base', 'connect main']);
  });

  it('is not called when another module fails to boot', async () => {
    const journal = new Journal();
    const failing = { provide: 'F', useValue: { onApplicationBootstrap: () => Promise.reject(new Error('no boot')) } };
    const root = { imports: [clientsOf({ main: journal.client('main') })], providers: [Consumer, failing] };
    expect((await rejection(bootApp(root))).message).toBe('no boot');
    await turn();
    expect(journal.entries).toEqual(['create main']);
  });
});

describe('waitUntilReady', () => {
  const lifecycle = { waitUntilReady: true, createTimeout: 1_000 };

  it('makes bootstrap wait until check() passes', async () => {
    const journal = new Journal();
    let checks = 0;
    const check = () => {
      journal.write('check main');
      if (++checks < 2) throw new Error('not yet');
    };
    const main = journal.client('main', { check }, lifecycle);
    await bootApp({ imports: [clientsOf({ main })], providers: [Consumer] });
    expect(journal.entries).toEqual(['create main', 'connect main', 'check main', 'check main']);
  });

  it('makes a later first injection wait, which all share', async () => {
    const ready = deferred();
    const journal = new Journal();
    const registry = await bootRegistry({ main: journal.client('main', { check: () => ready.promise }, lifecycle) });
    const order: string[] = [];
    const gets = [registry.get('main'), registry.get('main')].map((get) => get.then(() => order.push('got')));
    await turn();
    order.push('ready');
    ready.resolve();
    await Promise.all(gets);
    expect(order).toEqual(['ready', 'got', 'got']);
    expect(journal.of('create')).toHaveLength(1);
  });

  it('fails bootstrap when it never passes, says why, and closes the client', async () => {
    const journal = new Journal();
    const check = () => Promise.reject(new Error('loading the data set'));
    const main = journal.client('main', { check }, { ...lifecycle, createTimeout: 150 });
    const other = journal.client('other', {}, { eager: true });
    const error = await rejection(bootApp({ imports: [clientsOf({ main, other })], providers: [Consumer] }));
    expect(error.code).toBe('CLIENTS_CREATE_TIMEOUT');
    expect(error.message).toMatch(/"main".*loading the data set/);
    expect(journal.of('close').toSorted()).toEqual(['close main', 'close other']);
  });

  it('fails bootstrap in time when check() never answers', async () => {
    const never = deferred();
    const journal = new Journal();
    const main = journal.client('main', { check: () => never.promise }, { ...lifecycle, createTimeout: 50 });
    const error = await rejection(bootApp({ imports: [clientsOf({ main })], providers: [Consumer] }));
    expect(error.code).toBe('CLIENTS_CREATE_TIMEOUT');
    expect(journal.of('close')).toEqual(['close main']);
    never.resolve();
  });

  it('fails a later first injection, closes the client, and builds a new one the next time', async () => {
    const journal = new Journal();
    let healthy = false;
    const closed = deferred();
    const main = journal.client(
      'main',
      {
        check: () => (healthy ? undefined : Promise.reject(new Error('not yet'))),
        close: () => {
          journal.write('close main');
          closed.resolve();
        },
      },
      { ...lifecycle, createTimeout: 50 },
    );
    const registry = await bootRegistry({ main });
    expect((await rejection(registry.get('main'))).code).toBe('CLIENTS_CREATE_TIMEOUT');
    await closed.promise;
    expect(registry.status()).toMatchObject([{ state: 'idle' }]);
    expect(registry.status()[0]).not.toHaveProperty('createdAt');
    expect(journal.entries).toEqual(['create main', 'connect main', 'close main']);
    healthy = true;
    expect(await registry.get('main')).toBe(journal.built[1]);
    expect(journal.of('connect')).toHaveLength(2);
  });

  it('checks again until createTimeout has passed, and keeps the reason as the cause', async () => {
    let looks = 0;
    const reason = new Error('loading');
    const check = () => (++looks < 3 ? Promise.reject(reason) : undefined);
    const ready = defineClient({ create: () => ({}), check }, { ...lifecycle, createTimeout: 90 });
    const never = defineClient(
      { create: () => ({}), check: () => Promise.reject(reason) },
      { ...lifecycle, createTimeout: 90 },
    );
    const registry = await bootRegistry({ ready, never });
    await registry.get('ready');
    expect(await rejection(registry.get('never'))).toMatchObject({ code: 'CLIENTS_CREATE_TIMEOUT', cause: reason });
  });

  it('gives the reason of the last check that ended, when the deadline cuts off the very last one', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const check = () => new Promise((_, reject) => setTimeout(reject, 4, new Error('loading')));
    const names = Array.from({ length: 60 }, (_, index) => `client${index}`);
    const define = (_: string, index: number) =>
      defineClient({ create: () => ({}), check }, { ...lifecycle, createTimeout: 40 + index * 0.37 });
    const registry = await bootRegistry(Object.fromEntries(names.map((name, index) => [name, define(name, index)])));
    const failed = Promise.all(names.map((name) => rejection(registry.get(name))));
    await vi.advanceTimersByTimeAsync(1_000);
    const messages = (await failed).map(({ message }) => message);
    expect(messages.filter((message) => !message.includes('loading'))).toEqual([]);
  });

  it('respects fake timers', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const check = () => Promise.reject(new Error('loading'));
    const main = defineClient({ create: () => ({}), check }, lifecycle);
    const registry = await bootRegistry({ main });
    const failed = rejection(registry.get('main'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await failed).toMatchObject({ code: 'CLIENTS_CREATE_TIMEOUT' });
  });

  it('does not wait for a client without check()', async () => {
    const journal = new Journal();
    await bootApp({ imports: [clientsOf({ main: journal.client('main', {}, lifecycle) })], providers: [Consumer] });
    expect(journal.entries).toEqual(['create main', 'connect main']);
  });
});

describe('a driver', () => {
  class Driver implements ClientDriver<FakeClient> {
    readonly kind = 'fake';
    readonly inject = [];
    readonly entries: string[] = [];
    create(): FakeClient {
      this.entries.push('create');
      return new FakeClient('main');
    }
    connect(): void {
      this.entries.push('connect');
    }
    check(): void {
      this.entries.push('check');
    }
    onError(): void {
      this.entries.push('onError');
    }
    close(): never {
      this.entries.push('close');
      throw new Error('cannot close');
    }
    destroy(): void {
      this.entries.push('destroy');
    }
  }

  it.each([
    ['an instance of a class', (driver: Driver) => driver],
    ['an object that inherits its functions', (driver: Driver) => Object.create(driver) as Driver],
  ])('may be %s', async (_, write) => {
    const driver = new Driver();
    const app = await bootApp({ imports: [clientsOf({ main: defineClient(write(driver)) })] });
    const registry = registryOf(app);
    await registry.get('main');
    expect((await registry.check('main')).status).toBe('up');
    await app.close();
    expect(driver.entries).toEqual(['create', 'onError', 'connect', 'check', 'close', 'destroy']);
  });
});

describe('registry.get() and peek()', () => {
  it('rejects, and throws, CLIENTS_UNKNOWN with the known names', async () => {
    const registry = await bootRegistry({ main: new Journal().client('main'), other: new Journal().client('other') });
    const error = await rejection(registry.get('mian'));
    expect(error).toMatchObject({ code: 'CLIENTS_UNKNOWN', client: 'mian' });
    expect(error.message).toMatch(/"mian".*"main", "other"/);
    expect(() => registry.peek('mian')).toThrow(error.message);
    expect((await rejection(registry.check('mian'))).message).toBe(error.message);
  });
});

describe('registry.check()', () => {
  it('is up while check() passes, and down with the reason when it fails', async () => {
    let problem: Error | undefined;
    const registry = await bootRegistry({
      main: new Journal().client('main', { check: () => (problem ? Promise.reject(problem) : undefined) }),
    });
    await registry.get('main');
    expect(await registry.check('main')).toMatchObject({ name: 'main', kind: 'custom', status: 'up' });
    problem = new TypeError('gone');
    expect(await registry.check('main')).toMatchObject({
      status: 'down',
      error: { name: 'TypeError', message: 'gone' },
    });
  });

  it('is down in time when check() never answers', async () => {
    const never = deferred();
    const registry = await bootRegistry({ main: new Journal().client('main', { check: () => never.promise }) });
    await registry.get('main');
    expect(await registry.check('main', { timeout: 10 })).toMatchObject({
      status: 'down',
      error: { message: 'no answer within 10 ms' },
    });
    never.resolve();
  });

  it('reports why the last build of an idle client failed', async () => {
    const main = defineClient({ create: () => Promise.reject(new TypeError('no such host')) });
    const registry = await bootRegistry({ main });
    await rejection(registry.get('main'));
    expect(await registry.check('main')).toMatchObject({
      status: 'idle',
      error: { name: 'ClientsCreateFailedError', message: 'Client "main" could not be created: no such host' },
    });
  });

  it('is down when check() throws something that is not an Error', async () => {
    const check = () => {
      throw null; // eslint-disable-line no-throw-literal
    };
    const registry = await bootRegistry({ main: new Journal().client('main', { check }) });
    await registry.get('main');
    expect(await registry.check('main')).toMatchObject({ status: 'down' });
  });

  it('is down after the client has closed', async () => {
    const registry = await bootRegistry({ main: new Journal().client('main') });
    await registry.get('main');
    await registry.close();
    expect(await registry.check('main')).toMatchObject({ status: 'down', error: { name: 'ClientsClosedError' } });
  });

  it('accepts an infinite timeout', async () => {
    const answer = deferred();
    const registry = await bootRegistry({ main: new Journal().client('main', { check: () => answer.promise }) });
    await registry.get('main');
    const health = registry.check('main', { timeout: Infinity });
    setTimeout(answer.resolve, 20);
    expect(await health).toMatchObject({ status: 'up' });
  });
});
