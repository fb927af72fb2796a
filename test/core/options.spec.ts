import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { configurableClient } from '../../src/definition/configurable-client.js';
import {
  ClientsError,
  ClientsModule,
  defineClient,
  getClientToken,
  InjectClient,
  type ClientDefinitions,
  type ClientLifecycle,
  type ClientsModuleAsyncOptions,
  type ClientsModuleOptions,
  type ClientsOptionsFactory,
} from '../../src/index.js';
import { bootApp, clientsOf, moduleOf, recordEvents, registryOf, rejection, thrown } from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';
import { FakeClient, Journal } from '../support/journal.js';
import { titled } from '../support/titled.js';

const PLANTED = 'hunter2-planted-value';

/** Calls with what TypeScript would not let pass. */
const forRoot = (options: unknown) => ClientsModule.forRoot(options as ClientsModuleOptions);
const forRootAsync = (options: unknown) => ClientsModule.forRootAsync(options as ClientsModuleAsyncOptions);
const define = (driver: unknown, lifecycle?: unknown) => defineClient(driver as never, lifecycle as ClientLifecycle);
const create = () => new FakeClient('main');

interface FakeOptions {
  url?: string;
  port?: number;
}

class FakeSdk {
  constructor(readonly options: FakeOptions) {}
}

function sdkClient(options?: FakeOptions, lifecycle?: ClientLifecycle) {
  return configurableClient<FakeSdk, FakeOptions>(
    {
      kind: 'fake',
      findProblem: (given) =>
        given.port !== undefined && typeof given.port !== 'number' ? '"port" is not a number' : undefined,
      create: (given) => new FakeSdk(given),
    },
    options,
    lifecycle,
  );
}

function expectInvalid(error: Error & { code?: string }, mentions: RegExp): void {
  expect(error).toBeInstanceOf(ClientsError);
  expect(error.code).toBe('CLIENTS_INVALID_OPTIONS');
  expect(error.name).toBe('ClientsInvalidOptionsError');
  expect(error.message).toMatch(mentions);
  expect(`${error.message}${error.stack}${JSON.stringify(error)}`).not.toContain(PLANTED);
}

describe('ClientsModule.forRoot() with options that cannot work', () => {
  const main = define({ create });
  const wrong: [string, unknown, RegExp][] = [
    ['undefined', undefined, /forRoot\(\).*\{ clients/],
    ['null', null, /\{ clients/],
    ['a string', PLANTED, /\{ clients/],
    ['an array', [{ clients: {} }], /\{ clients/],
    ['a function', () => ({ clients: {} }), /\{ clients/],
    ['no clients', {}, /"clients"/],
    ['clients undefined', { clients: undefined }, /"clients"/],
    ['clients null', { clients: null }, /"clients"/],
    ['clients an array', { clients: [main] }, /"clients"/],
    ['clients a Map', { clients: new Map([['main', main]]) }, /"clients"/],
    ['clients a definition', { clients: main }, /"clients"/],
    ['clients a string', { clients: PLANTED }, /"clients"/],
    ['__proto__ as a literal', { clients: { __proto__: main } }, /"clients"/],
    ['an empty name', { clients: { '': main } }, /empty name/],
    ['a blank name', { clients: { ' \t': main } }, /empty name/],
    ['a client undefined', { clients: { main: undefined } }, /"main".*defineClient\(\)/],
    ['a client null', { clients: { main: null } }, /"main".*defineClient\(\)/],
    ['a client a string', { clients: { main: PLANTED } }, /"main".*defineClient\(\)/],
    ['a client a driver', { clients: { main: { create, password: PLANTED } } }, /"main".*defineClient\(\)/],
    ['a client a function', { clients: { main: () => main } }, /"main".*defineClient\(\)/],
    ['a client a class', { clients: { main: FakeClient } }, /"main".*defineClient\(\)/],
    ['a client a promise', { clients: { main: Promise.resolve(main) } }, /"main".*defineClient\(\)/],
    ['isGlobal a string', { clients: {}, isGlobal: PLANTED }, /"isGlobal".*true or false/],
    ['isGlobal null', { clients: {}, isGlobal: null }, /"isGlobal"/],
    ['imports an object', { clients: {}, imports: { PLANTED } }, /"imports".*array/],
    ['imports null', { clients: {}, imports: null }, /"imports"/],
    ['imports with an undefined module', { clients: {}, imports: [undefined] }, /"imports"/],
    ['shutdownTimeout a string', { clients: {}, shutdownTimeout: '10s' }, /"shutdownTimeout".*milliseconds/],
    ['shutdownTimeout 0', { clients: {}, shutdownTimeout: 0 }, /"shutdownTimeout"/],
    ['shutdownTimeout negative', { clients: {}, shutdownTimeout: -1 }, /"shutdownTimeout"/],
    ['shutdownTimeout NaN', { clients: {}, shutdownTimeout: NaN }, /"shutdownTimeout"/],
    ['shutdownTimeout Infinity', { clients: {}, shutdownTimeout: Infinity }, /"shutdownTimeout"/],
    ['shutdownTimeout too long for a timer', { clients: {}, shutdownTimeout: 2 ** 31 }, /"shutdownTimeout"/],
    ['shutdownTimeout null', { clients: {}, shutdownTimeout: null }, /"shutdownTimeout"/],
    ['a typo', { clients: {}, isGlobl: true }, /"isGlobl".*isGlobal/],
    ['a typo with a secret', { clients: {}, password: PLANTED }, /"password"/],
    ['useFactory, which belongs to forRootAsync', { clients: {}, useFactory: () => ({}) }, /"useFactory"/],
  ];

  it.each(wrong)('throws CLIENTS_INVALID_OPTIONS for %s', (_, options, mentions) => {
    expectInvalid(
      thrown(() => forRoot(options)),
      mentions,
    );
  });

  const wrongAsync = wrong.filter(([what]) => !what.startsWith('useFactory'));
  it.each(wrongAsync)('throws CLIENTS_INVALID_OPTIONS in forRootAsync() for %s', (_, options, mentions) => {
    const given = typeof options === 'object' && options !== null && !Array.isArray(options);
    const useFactory = () => ({});
    expectInvalid(
      thrown(() => forRootAsync(given ? { ...options, useFactory } : options)),
      new RegExp(mentions.source.replace('forRoot', 'forRootAsync'), mentions.flags),
    );
  });

  it('takes clients without any entry, and an object without prototype', () => {
    expect(() => forRoot({ clients: {} })).not.toThrow();
    expect(() => forRoot({ clients: Object.assign(Object.create(null), { main }) as unknown })).not.toThrow();
  });

  it('takes undefined for every optional option', () => {
    const lifecycle = { eager: undefined, connect: undefined, createTimeout: undefined, scope: undefined };
    const clients = { main: define({ create, close: undefined, inject: undefined, kind: undefined }, lifecycle) };
    expect(() =>
      forRoot({ clients, isGlobal: undefined, imports: undefined, shutdownTimeout: undefined }),
    ).not.toThrow();
  });

  it('uses the default of an option that is undefined', async () => {
    const lifecycle = { closeTimeout: undefined, createTimeout: undefined, owned: undefined, connect: undefined };
    const journal = new Journal();
    const app = await bootApp({ imports: [clientsOf({ main: journal.client('main', {}, lifecycle as object) })] });
    await registryOf(app).get('main');
    await app.close();
    expect(journal.entries).toEqual(['create main', 'connect main', 'close main']);
  });
});

describe('defineClient() with a driver that cannot work', () => {
  const wrong: [string, unknown, RegExp][] = [
    ['no driver', undefined, /driver/],
    ['a driver null', null, /driver/],
    ['a driver a string', PLANTED, /driver/],
    ['a driver a function', create, /driver/],
    ['no create', {}, /"create"/],
    ['create a client', { create: new FakeClient('main') }, /"create"/],
    ['connect a string', { create, connect: PLANTED }, /"connect".*function/],
    ['check true', { create, check: true }, /"check".*function/],
    ['close null', { create, close: null }, /"close".*function/],
    ['destroy a number', { create, destroy: 1 }, /"destroy".*function/],
    ['onError an object', { create, onError: {} }, /"onError".*function/],
    ['inject a string', { create, inject: PLANTED }, /"inject".*array/],
    ['inject with an undefined token', { create, inject: [undefined] }, /"inject"/],
    ['kind a number', { create, kind: 42 }, /"kind".*string/],
  ];

  it.each(wrong)('makes forRoot throw CLIENTS_INVALID_OPTIONS for %s, by the client’s name', (_, driver, mentions) => {
    const error = thrown(() => forRoot({ clients: { main: define(driver) } }));
    expectInvalid(error, mentions);
    expect(error.message).toContain('"main"');
  });
});

describe('a lifecycle that cannot work', () => {
  const wrong: [string, unknown, RegExp][] = [
    ['null', null, /lifecycle.*object/],
    ['a string', PLANTED, /lifecycle.*object/],
    ['an array', [], /lifecycle.*object/],
    ['a function', () => ({}), /lifecycle.*object/],
    ['a typo', { eagre: true }, /"eagre".*eager/],
    ['a key of Object.prototype', { toString: true }, /"toString"/],
    ...(['eager', 'waitUntilReady', 'owned'] as const).flatMap((key): [string, unknown, RegExp][] => [
      [`${key} a string`, { [key]: PLANTED }, new RegExp(`"${key}".*true or false`)],
      [`${key} a number`, { [key]: 1 }, new RegExp(`"${key}"`)],
      [`${key} null`, { [key]: null }, new RegExp(`"${key}"`)],
    ]),
    ...(['createTimeout', 'closeTimeout'] as const).flatMap((key): [string, unknown, RegExp][] =>
      [PLANTED, 0, -1, NaN, Infinity, 2 ** 31, null, true].map((value) => [
        `${key} ${value === PLANTED ? 'a string' : value}`,
        { [key]: value },
        new RegExp(`"${key}".*milliseconds`),
      ]),
    ),
    ...([PLANTED, true, null, 'Use', 'bootstrap '] as const).map((value): [string, unknown, RegExp] => [
      `connect ${value === PLANTED ? 'a string' : JSON.stringify(value)}`,
      { connect: value },
      /"connect".*'bootstrap' or 'use'/,
    ]),
    ...([PLANTED, 1, null, 'request'] as const).map((value): [string, unknown, RegExp] => [
      `scope ${value === PLANTED ? 'a string' : JSON.stringify(value)}`,
      { scope: value },
      /"scope".*'app' or 'process'/,
    ]),
  ];

  it.each(wrong)(
    'makes forRoot throw CLIENTS_INVALID_OPTIONS for %s, by the client’s name',
    (_, lifecycle, mentions) => {
      for (const definition of [define({ create }, lifecycle), sdkClient({}, lifecycle as ClientLifecycle)]) {
        const error = thrown(() => forRoot({ clients: { main: definition } }));
        expectInvalid(error, mentions);
        expect(error.message).toContain('"main"');
      }
    },
  );
});

describe('a name that objects have of their own', () => {
  const names = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'prototype',
    'then',
    'a b',
    'ü',
    '1',
    'nestjs-clients:main',
  ];

  it.each(names)('may be $0', async (name) => {
    const journal = new Journal();
    const clients = { ['main']: journal.client('main'), [name]: journal.client(name) };
    class Named {
      client: unknown;
    }
    InjectClient(name)(Named.prototype, 'client');
    const app = await bootApp({ imports: [ClientsModule.forRoot({ clients })], providers: [Named] });
    const registry = registryOf(app);
    const client = app.get(Named).client;
    expect(client).toBe(journal.built[0]);
    expect((client as FakeClient).clientName).toBe(name);
    expect(await registry.get(name)).toBe(client);
    expect(registry.peek(name)).toBe(client);
    expect(await registry.check(name)).toMatchObject({ name, status: 'up' });
    expect(registry.status().find((status) => status.name === name)).toMatchObject({
      state: 'open',
      consumers: ['Named'],
    });
    expect(await app.resolve<unknown>(getClientToken(name))).toBe(client);
    await app.close();
    expect(journal.of('close')).toEqual([`close ${name}`]);
    expect(Object.prototype).not.toHaveProperty('clientName');
  });

  it.each(names)('may be $0 in forRootAsync, with options from JSON', async (name) => {
    const clients: ClientDefinitions = { [name]: sdkClient() };
    const options: unknown = JSON.parse(`{ ${JSON.stringify(name)}: { "url": "from JSON" } }`);
    const app = await bootApp({ imports: [forRootAsync({ clients, useFactory: () => options })] });
    const client = (await registryOf(app).get(name)) as FakeSdk;
    expect(client.options).toEqual({ url: 'from JSON' });
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'is unknown if it is not declared: $0',
    async (name) => {
      const app = await bootApp({ imports: [clientsOf({ main: new Journal().client('main') })] });
      const registry = registryOf(app);
      expect((await rejection(registry.get(name))).code).toBe('CLIENTS_UNKNOWN');
      expect(() => registry.peek(name)).toThrow(/"main"/);
      expect((await rejection(registry.check(name))).code).toBe('CLIENTS_UNKNOWN');
    },
  );
});

@Injectable()
class Consumer {
  constructor(@InjectClient('main') readonly client: FakeSdk) {}
}

describe('ClientsModule.forRootAsync() with options that cannot work', () => {
  class Factory {
    createClientsOptions() {
      return {};
    }
  }
  const clients = { main: sdkClient() };
  const wrong: [string, object, RegExp][] = [
    ['no source', {}, /exactly one of useFactory, useClass, useExisting/],
    ['sources that are all undefined', { useFactory: undefined, useClass: undefined }, /exactly one/],
    ['two sources', { useFactory: () => ({}), useClass: Factory }, /exactly one/],
    ['three sources', { useFactory: () => ({}), useClass: Factory, useExisting: Factory }, /exactly one/],
    ['useFactory an object', { useFactory: { PLANTED } }, /"useFactory".*function/],
    ['useFactory null', { useFactory: null }, /"useFactory"/],
    ['useClass a string', { useClass: PLANTED }, /"useClass".*class/],
    ['useClass an instance', { useClass: new Factory() }, /"useClass"/],
    ['useExisting null', { useExisting: null }, /"useExisting"/],
    ['useExisting a number', { useExisting: 42 }, /"useExisting"/],
    ['inject a token', { useFactory: () => ({}), inject: PLANTED }, /"inject".*array/],
    ['inject null', { useFactory: () => ({}), inject: null }, /"inject"/],
    ['inject with an undefined token', { useFactory: () => ({}), inject: [undefined] }, /"inject"/],
    ['a typo', { useFactory: () => ({}), injects: [] }, /"injects".*inject/],
  ];

  it.each(wrong)('throws CLIENTS_INVALID_OPTIONS for %s', (_, rest, mentions) => {
    const error = thrown(() => forRootAsync({ clients, ...rest }));
    expectInvalid(error, mentions);
    expect(error.message).toContain('forRootAsync');
  });
});

describe('ClientsModule.forRoot()', () => {
  it('is not affected by later changes to the object of clients', async () => {
    const journal = new Journal();
    const clients: Record<string, ReturnType<typeof journal.client>> = { main: journal.client('main') };
    const clientsModule = ClientsModule.forRoot({ clients });
    clients['late'] = journal.client('late');
    delete clients['main'];
    const registry = registryOf(await bootApp({ imports: [clientsModule] }));
    expect(registry.status().map(({ name }) => name)).toEqual(['main']);
    expect(await registry.get('main')).toBe(journal.built[0]);
  });
});

describe('ClientRegistry', () => {
  it.each([0, -1, Number.NaN, '50'])('refuses $0 as the timeout of a check', async (timeout) => {
    const registry = registryOf(await bootApp({ imports: [clientsOf({ main: new Journal().client('main') })] }));
    const error = await rejection(registry.check('main', { timeout: timeout as number }));
    expect(error.code).toBe('CLIENTS_INVALID_OPTIONS');
    expect(error.message).toMatch(/ClientRegistry\.check\(\).*"timeout" must be a number of milliseconds/);
  });

  it('refuses a name that is not a string, like any unknown name', async () => {
    const registry = registryOf(await bootApp({ imports: [clientsOf({ main: new Journal().client('main') })] }));
    for (const name of [Symbol('main'), undefined, 1, {}]) {
      expect((await rejection(registry.get(name as string))).code).toBe('CLIENTS_UNKNOWN');
      expect((await rejection(registry.check(name as string))).code).toBe('CLIENTS_UNKNOWN');
    }
  });

  it('returns a status that the caller may change without changing the next one', async () => {
    const registry = registryOf(await bootApp({ imports: [clientsOf({ main: new Journal().client('main') })] }));
    await registry.get('main');
    const [before] = structuredClone(registry.status());
    const [status] = registry.status();
    status?.createdAt?.setTime(0);
    status?.consumers.push('Nobody');
    expect(registry.status()[0]).toEqual(before);
  });
});

describe('the factory of ClientsModule.forRootAsync()', () => {
  const boot = (options: unknown, providers = [Consumer]) => bootApp({ imports: [forRootAsync(options)], providers });

  it('does not run while nobody uses a client that takes options from it', async () => {
    let runs = 0;
    const other = new Journal().client('other');
    const app = await boot({ clients: { main: sdkClient(), other }, useFactory: () => ({ runs: ++runs }) }, []);
    await registryOf(app).get('other');
    await app.close();
    expect(runs).toBe(0);
  });

  it('runs once for all clients, also when they are built at the same time', async () => {
    let runs = 0;
    const useFactory = () => ({ main: { port: ++runs }, other: { port: runs } });
    const app = await boot({ clients: { main: sdkClient(), other: sdkClient() }, useFactory }, []);
    const registry = registryOf(app);
    const [main, other] = (await Promise.all([registry.get('main'), registry.get('other')])) as FakeSdk[];
    expect([main?.options, other?.options, runs]).toEqual([{ port: 1 }, { port: 1 }, 1]);
  });

  it('runs once for each application', async () => {
    let runs = 0;
    const clientsModule = forRootAsync({
      clients: { main: sdkClient() },
      useFactory: () => ({ main: { port: ++runs } }),
    });
    for (const port of [1, 2]) {
      const app = await bootApp({ imports: [clientsModule], providers: [Consumer] });
      expect(app.get(Consumer).client.options).toEqual({ port });
    }
  });

  it('may be asynchronous and inject, from imports', async () => {
    const settings = moduleOf({ providers: [{ provide: 'PORT', useValue: 1 }], exports: ['PORT'] }, 'SettingsModule');
    const app = await boot({
      clients: { main: sdkClient() },
      imports: [settings],
      inject: ['PORT'],
      useFactory: async (port: number) => ({ main: { port: await Promise.resolve(port) } }),
    });
    expect(app.get(Consumer).client.options).toEqual({ port: 1 });
  });

  it('overrides options of the definition with its own, and changes neither object', async () => {
    const declared = Object.freeze({ url: 'declared', port: 1 });
    const returned = Object.freeze({ main: Object.freeze({ port: 2 }) });
    const app = await boot({ clients: { main: sdkClient(declared) }, useFactory: () => returned });
    expect(app.get(Consumer).client.options).toEqual({ url: 'declared', port: 2 });
  });

  it('need not return options for every client', async () => {
    const app = await boot({ clients: { main: sdkClient({ url: 'declared' }) }, useFactory: () => ({}) });
    expect(app.get(Consumer).client.options).toEqual({ url: 'declared' });
  });

  it.each([
    ['useClass', (Factory: new () => ClientsOptionsFactory) => ({ useClass: Factory })],
    [
      'useExisting',
      (Factory: new () => ClientsOptionsFactory) => ({
        useExisting: Factory,
        imports: [moduleOf({ providers: [Factory], exports: [Factory] }, 'FactoryModule')],
      }),
    ],
  ])('may be given by %s, and is called with the right this', async (_, source) => {
    class Factory {
      readonly port = 1;
      createClientsOptions() {
        return Promise.resolve({ main: { port: this.port } });
      }
    }
    const app = await boot({ clients: { main: sdkClient() }, ...source(Factory) });
    expect(app.get(Consumer).client.options).toEqual({ port: 1 });
  });

  it('is constructed once by useClass, with what it injects', async () => {
    let made = 0;
    @Injectable()
    class Factory {
      constructor(@InjectClient('settings') private readonly settings: FakeClient) {
        made += 1;
      }
      createClientsOptions() {
        return { main: { url: this.settings.greet() }, other: {} };
      }
    }
    const settings = new Journal().client('settings');
    const app = await boot({ clients: { main: sdkClient(), other: sdkClient(), settings }, useClass: Factory });
    await registryOf(app).get('other');
    expect(app.get(Consumer).client.options).toEqual({ url: 'hello from settings' });
    expect(made).toBe(1);
  });

  it('is called again after a build has timed out waiting for it, and then serves all clients', async () => {
    let runs = 0;
    const useFactory = () => (++runs <= 2 ? new Promise(() => {}) : { main: { port: runs }, other: { port: runs } });
    const [main, other] = [sdkClient({}, { createTimeout: 50 }), sdkClient({}, { createTimeout: 50 })];
    const registry = registryOf(await boot({ clients: { main, other }, useFactory }, []));
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      expect((await rejection(registry.get('main'))).code).toBe('CLIENTS_CREATE_TIMEOUT');
    }
    expect(((await registry.get('main')) as FakeSdk).options).toEqual({ port: 3 });
    expect(((await registry.get('other')) as FakeSdk).options).toEqual({ port: 3 });
    expect(runs).toBe(3);
  });

  it('need not be faster than createTimeout: what a slow one returns serves the next attempt', async () => {
    let runs = 0;
    const gate = deferred();
    const useFactory = async () => {
      const port = ++runs;
      await gate.promise;
      return { main: { port } };
    };
    const main = sdkClient({}, { createTimeout: 50 });
    const registry = registryOf(await boot({ clients: { main }, useFactory }, []));
    await rejection(registry.get('main'));
    const second = registry.get('main');
    gate.resolve();
    expect(((await second) as FakeSdk).options).toEqual({ port: 1 });
  });

  it('may be a method of a class', async () => {
    class Options {
      readonly clients = { main: sdkClient() };
      useFactory() {
        return { main: { port: 1 } };
      }
    }
    const app = await boot(new Options());
    expect(app.get(Consumer).client.options).toEqual({ port: 1 });
  });

  const failing: [string, () => unknown, string, RegExp][] = [
    ['throws', fail, 'CLIENTS_CREATE_FAILED', /"main".*no settings/],
    ['rejects', () => Promise.reject(new Error('no settings')), 'CLIENTS_CREATE_FAILED', /"main".*no settings/],
    ['returns undefined', () => undefined, 'CLIENTS_INVALID_OPTIONS', /"main".*object of client options/],
    ['returns null', () => null, 'CLIENTS_INVALID_OPTIONS', /object of client options/],
    ['returns a string', () => PLANTED, 'CLIENTS_INVALID_OPTIONS', /object of client options/],
    ['returns an array', () => [{ url: PLANTED }], 'CLIENTS_INVALID_OPTIONS', /object of client options/],
    ['returns a name that is no client', () => ({ mian: { url: PLANTED } }), 'CLIENTS_INVALID_OPTIONS', /"mian".*main/],
    ['returns options for a custom client', () => ({ other: {} }), 'CLIENTS_INVALID_OPTIONS', /"other".*main/],
  ];

  it.each(failing)('is tried again after it %s', async (_, firstTime, code, mentions) => {
    let runs = 0;
    const useFactory = () => (++runs === 1 ? firstTime() : { main: { port: runs } });
    const app = await boot({ clients: { main: sdkClient(), other: new Journal().client('other') }, useFactory }, []);
    const registry = registryOf(app);
    const [error, same] = await Promise.all([rejection(registry.get('main')), rejection(registry.get('main'))]);
    expect(error).toBeInstanceOf(ClientsError);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(mentions);
    expect(`${error.message}${error.stack}`).not.toContain(PLANTED);
    expect(same).toBe(error);
    expect(((await registry.get('main')) as FakeSdk).options).toEqual({ port: 2 });
  });

  it.each([
    ['a string', PLANTED, /"main".*object/],
    ['null', null, /"main".*object/],
    ['a wrong option', { port: PLANTED }, /"main".*"port"/],
  ])('cannot return %s for a client', async (_, options, mentions) => {
    const app = await boot({ clients: { main: sdkClient() }, useFactory: () => ({ main: options }) }, []);
    expectInvalid(await rejection(registryOf(app).get('main')), mentions);
  });

  it('says that useExisting is not a factory', async () => {
    const settings = moduleOf({ providers: [{ provide: 'NO_FACTORY', useValue: {} }], exports: ['NO_FACTORY'] });
    const error = await rejection(
      boot({ clients: { main: sdkClient() }, useExisting: 'NO_FACTORY', imports: [settings] }),
    );
    expect(error).toBeInstanceOf(ClientsError);
    expect(error.message).toMatch(/"main".*createClientsOptions/);
  });

  it('says that a wrong option came from the definition when it does', () => {
    const clients = { main: sdkClient({ port: PLANTED as unknown as number }) };
    expectInvalid(
      thrown(() => forRoot({ clients })),
      /"main".*"port"/,
    );
  });

  it('names the client that its options are for, in the event and the error', async () => {
    const app = await boot({ clients: { main: sdkClient() }, useFactory: fail }, []);
    const registry = registryOf(app);
    const events = recordEvents(registry);
    await rejection(registry.get('main'));
    expect(events.map(({ type, client }) => [type, client])).toEqual([
      ['creating', 'main'],
      ['createFailed', 'main'],
    ]);
  });
});

function fail(): never {
  throw new Error('no settings');
}

describe('a client’s own useFactory', () => {
  it('runs when the client is first built, with what it injects', async () => {
    let runs = 0;
    const settings = moduleOf({ providers: [{ provide: 'PORT', useValue: 1 }], exports: ['PORT'] }, 'SettingsModule');
    const main = configurableClient<FakeSdk, FakeOptions>(
      { kind: 'fake', findProblem: () => undefined, create: (options) => new FakeSdk(options) },
      { inject: ['PORT'], useFactory: (port: number) => ({ port: port + runs++ }) },
    );
    const app = await bootApp({ imports: [clientsOf({ main }, { imports: [settings] })] });
    expect(runs).toBe(0);
    expect(((await registryOf(app).get('main')) as FakeSdk).options).toEqual({ port: 1 });
    await registryOf(app).get('main');
    expect(runs).toBe(1);
  });

  it.each(
    titled<[object, RegExp]>([
      [{ useFactory: () => ({}), url: PLANTED }, /"url".*beside "useFactory"/],
      [{ useFactory: undefined }, /"useFactory" must be a function/],
      [{ useFactory: () => ({}), inject: [undefined] }, /"inject" must be an array of tokens/],
    ]),
  )('makes forRoot throw CLIENTS_INVALID_OPTIONS for %s', (_, source, mentions) => {
    const error = thrown(() => clientsOf({ main: sdkClient(source) }));
    expect(error).toMatchObject({ code: 'CLIENTS_INVALID_OPTIONS' });
    expect(error.message).toMatch(mentions);
    expect(error.message).not.toContain(PLANTED);
  });

  it.each([[undefined], [null], ['x'], [[]]])('cannot return $0', async (value) => {
    const main = configurableClient<FakeSdk, FakeOptions>(
      { kind: 'fake', findProblem: () => undefined, create: (options) => new FakeSdk(options) },
      { useFactory: () => value },
    );
    const app = await bootApp({ imports: [clientsOf({ main })] });
    const error = await rejection(registryOf(app).get('main'));
    expect(error.code).toBe('CLIENTS_INVALID_OPTIONS');
    expect(error.message).toMatch(/"main".*useFactory/);
  });
});
