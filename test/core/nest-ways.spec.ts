import { forwardRef, Inject, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { VERSION } from '../../src/errors/version.js';
import {
  ClientRegistry,
  ClientsClosedError,
  ClientsError,
  ClientsModule,
  ClientsUnknownError,
  defineClient,
  getClientToken,
  InjectClient,
} from '../../src/index.js';
import { bootApp, moduleOf, registryOf, rejection, thrown } from '../support/boot-app.js';
import { Journal } from '../support/journal.js';

@Injectable()
class First {
  constructor(@InjectClient('main') readonly client: unknown) {}
}
@Injectable()
class Second {
  constructor(@InjectClient('main') readonly client: unknown) {}
}
@Injectable()
class Third {
  @InjectClient('main') readonly client: unknown;
}

function main(lifecycle = {}) {
  return { main: new Journal().client('main', {}, lifecycle) };
}

describe('overriding a client in a test', () => {
  const factory = () => vi.fn<() => object>(() => new Map());
  @Module({ providers: [Third], exports: [Third] })
  class FeatureModule {}

  it('calls useFactory() once, for every consumer in every module', async () => {
    const make = factory();
    const module = await Test.createTestingModule({
      imports: [FeatureModule, ClientsModule.forRoot({ clients: main() })],
      providers: [First, Second],
    })
      .overrideProvider(getClientToken('main'))
      .useFactory({ factory: make })
      .compile();
    const given = [First, Second, Third].map((consumer) => module.get<First>(consumer).client);
    expect(new Set([...given, await module.get(ClientRegistry).get('main')]).size).toBe(1);
    expect(given[0]).toBeInstanceOf(Map);
    expect(make).toHaveBeenCalledTimes(1);
    await module.close();
  });

  it('calls an asynchronous useFactory() with dependencies once, wherever forRoot() stands', async () => {
    const make = vi.fn<(value: number) => Promise<object>>(async (value) => ({ value }));
    const module = await Test.createTestingModule({
      providers: [First, Second, { provide: 'value', useValue: 7 }],
      imports: [
        ClientsModule.forRoot({ clients: { ...main(), other: new Journal().client('other') } }),
        moduleOf({ providers: [{ provide: 'value', useValue: 7 }], exports: ['value'] }, 'ValueModule'),
        FeatureModule,
      ],
    })
      .overrideProvider(getClientToken('main'))
      .useFactory({ factory: make, inject: [getClientToken('other')] })
      .compile();
    const given = [First, Second, Third].map((consumer) => module.get<First>(consumer).client);
    expect(new Set(given).size).toBe(1);
    expect(make).toHaveBeenCalledTimes(1);
    await module.close();
  });

  it.each([{ eager: false }, { eager: true }])(
    'injects one instance of useClass(), with eager: $eager',
    async (lifecycle) => {
      class Fake {}
      const module = await Test.createTestingModule({
        imports: [ClientsModule.forRoot({ clients: main(lifecycle) })],
        providers: [First, Second],
      })
        .overrideProvider(getClientToken('main'))
        .useClass(Fake)
        .compile();
      expect(module.get(First).client).toBeInstanceOf(Fake);
      expect(module.get(Second).client).toBe(module.get(First).client);
      await module.close();
    },
  );

  it('injects one mock of useMocker() where the module is not imported', async () => {
    const module = await Test.createTestingModule({ providers: [First, Second] })
      .useMocker((token) => ({ token }))
      .compile();
    expect(module.get(First).client).toEqual({ token: getClientToken('main') });
    await module.close();
  });
});

describe('overriding parts of the library in a test', () => {
  it.each([
    [
      'a value',
      (builder: ReturnType<typeof Test.createTestingModule>) =>
        builder.overrideProvider(ClientRegistry).useValue({ get: async () => 'fake' }),
    ],
    [
      'a factory',
      (builder: ReturnType<typeof Test.createTestingModule>) =>
        builder.overrideProvider(ClientRegistry).useFactory({ factory: () => ({ get: async () => 'fake' }) }),
    ],
    [
      'a class',
      (builder: ReturnType<typeof Test.createTestingModule>) =>
        builder.overrideProvider(ClientRegistry).useClass(
          class {
            get = async () => 'fake';
          },
        ),
    ],
    [
      'a subclass',
      (builder: ReturnType<typeof Test.createTestingModule>) =>
        builder.overrideProvider(ClientRegistry).useClass(
          class extends ClientRegistry {
            override get = (async () => 'fake') as never;
          },
        ),
    ],
  ])('boots and closes with %s in the place of ClientRegistry', async (_, override) => {
    const journal = new Journal();
    @Injectable()
    class Reporter {
      constructor(@Inject(ClientRegistry) readonly registry: ClientRegistry) {}
    }
    const builder = Test.createTestingModule({
      imports: [ClientsModule.forRoot({ clients: { main: journal.client('main') } })],
      providers: [First, Reporter],
    });
    const module = await override(builder).compile();
    await module.init();
    expect(await module.get(Reporter).registry.get('main')).toBe('fake');
    await module.close();
    expect(journal.entries).toEqual(['create main', 'connect main', 'close main']);
  });

  it('boots without the module when overrideModule() replaces it', async () => {
    @Module({ providers: [{ provide: getClientToken('main'), useValue: 'fake' }], exports: [getClientToken('main')] })
    class FakeModule {}
    const dynamic = ClientsModule.forRoot({ clients: main() });
    const module = await Test.createTestingModule({ imports: [dynamic], providers: [First] })
      .overrideModule(dynamic as never)
      .useModule(FakeModule)
      .compile();
    await module.init();
    expect(module.get(First).client).toBe('fake');
    await module.close();
  });
});

describe('what is imported or provided the wrong way', () => {
  const remedy = /ClientsModule\.forRoot/;

  it.each([
    ['providers: [ClientRegistry]', { providers: [ClientRegistry] }],
    ['providers and exports', { providers: [ClientRegistry], exports: [ClientRegistry] }],
    ['beside forRoot()', { imports: [ClientsModule.forRoot({ clients: {} })], providers: [ClientRegistry] }],
    ['imports: [ClientsModule]', { imports: [ClientsModule] }],
    ['imports: [ClientsModule] and a consumer', { imports: [ClientsModule], providers: [First] }],
    ['imports and exports', { imports: [ClientsModule], exports: [ClientsModule], providers: [First] }],
    ['a class beside forRoot()', { imports: [ClientsModule, ClientsModule.forRoot({ clients: {} })] }],
    ['providers: [ClientsModule]', { providers: [ClientsModule] }],
    [
      'a consumer of the registry',
      {
        imports: [ClientsModule],
        providers: [{ provide: 'x', useFactory: () => 1, inject: [ClientRegistry] }],
      },
    ],
  ])('is an error that says what to do: %s', async (_, metadata) => {
    const error = await rejection(bootApp(metadata as never));
    expect(error).toMatchObject({ code: 'CLIENTS_INVALID_OPTIONS' });
    expect(error.message).toMatch(remedy);
    expect(error.message).not.toContain('Symbol');
  });

  it('quotes a token that says where a client must be declared or imported from', async () => {
    const error = await rejection(
      bootApp({
        imports: [
          moduleOf({ imports: [ClientsModule.forRoot({ clients: main(), isGlobal: false })] }, 'FeatureModule'),
        ],
        providers: [First],
      }),
    );
    expect(error.message).toContain(
      'nestjs-clients:main, to be declared in ClientsModule.forRoot(), or to be imported',
    );
  });

  it('lists the known names where a definition injects a misspelt client', async () => {
    const clients = { ...main(), on: defineClient({ inject: [getClientToken('mian')], create: () => ({}) }) };
    const error = await rejection(bootApp({ imports: [ClientsModule.forRoot({ clients })] }));
    expect(error).toMatchObject({ code: 'CLIENTS_UNKNOWN' });
    expect(error.message).toContain('"main", "on"');
  });
});

describe('dependencies of a client', () => {
  @Injectable()
  class Base {
    constructor(@InjectClient('main') readonly client: unknown) {}
  }
  const provided = moduleOf({ providers: [Base], exports: [Base] }, 'BaseModule');
  const token = getClientToken('main');

  it.each([
    ['{ token, optional }', { token, optional: true }],
    ['forwardRef()', forwardRef(() => token)],
    ['a token in both', { token: forwardRef(() => token) as never, optional: true }],
    ['forwardRef() to a service', forwardRef(() => Base)],
    ['an optional service', { token: Base, optional: true }],
  ])('may stand behind %s, and close after it', async (_, dependency) => {
    const journal = new Journal();
    const given: unknown[] = [];
    const on = journal.client('on', {
      inject: [dependency],
      create: (value: unknown) => {
        given.push(value);
        return journal.build('on');
      },
    });
    const app = await bootApp({
      imports: [ClientsModule.forRoot({ clients: { main: journal.client('main'), on }, imports: [provided] })],
    });
    await registryOf(app).get('on');
    expect(given[0]).toBeDefined();
    await app.close();
    expect(journal.of('close')).toEqual(['close on', 'close main']);
  });

  it('are undefined when they are optional and nobody provides them', async () => {
    const create = vi.fn<(...values: unknown[]) => object>(() => ({}));
    const inject = [
      { token: 'missing', optional: true },
      { token: getClientToken('missing'), optional: true },
      { token: Base, optional: true },
      { token: 'there', optional: false },
    ];
    const there = moduleOf({ providers: [{ provide: 'there', useValue: 1 }], exports: ['there'] }, 'ThereModule');
    const app = await bootApp({
      imports: [ClientsModule.forRoot({ clients: { on: defineClient({ inject, create }) }, imports: [there] })],
    });
    await registryOf(app).get('on');
    expect(create).toHaveBeenCalledWith(undefined, undefined, undefined, 1);
  });

  it('may be optional and forward in forRootAsync() too', async () => {
    const useFactory = vi.fn<(...values: unknown[]) => object>(() => ({}));
    const app = await bootApp({
      imports: [
        ClientsModule.forRootAsync({
          clients: main(),
          imports: [provided],
          inject: [{ token: 'missing', optional: true }, forwardRef(() => Base)],
          useFactory: useFactory as never,
        }),
      ],
    });
    await registryOf(app).get('main');
    expect(useFactory).not.toHaveBeenCalled(); // a custom client takes no options
    await app.close();
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['{ token: undefined }', { token: undefined, optional: true }],
    ['an object that is none', {}],
    ['{ forwardRef } that is no function', { forwardRef: 1 }],
  ])('are refused by forRoot() if one is %s', (_, dependency) => {
    const clients = { on: defineClient({ inject: [dependency as never], create: () => ({}) }) };
    const error = thrown(() => ClientsModule.forRoot({ clients }));
    expect(error).toMatchObject({ code: 'CLIENTS_INVALID_OPTIONS' });
    expect(error.message).toMatch(/"on".*"inject"/);
    expect(
      thrown(() => ClientsModule.forRootAsync({ clients: {}, inject: [dependency as never], useFactory: () => ({}) })),
    ).toMatchObject({
      code: 'CLIENTS_INVALID_OPTIONS',
    });
  });

  it.each([
    ['undefined', () => undefined],
    [
      'a class that is not there yet',
      () => {
        throw new ReferenceError("Cannot access 'Later' before initialization");
      },
    ],
  ])('are refused at bootstrap if forwardRef() returns %s', async (_, later) => {
    const clients = { on: defineClient({ inject: ['x', forwardRef(later)], create: () => ({}) }) };
    const error = await rejection(bootApp({ imports: [ClientsModule.forRoot({ clients })] }));
    expect(error).toMatchObject({ code: 'CLIENTS_INVALID_OPTIONS' });
    expect(error.message).toMatch(/"on".*index 1.*forwardRef/);
  });
});

describe('two copies of the package', () => {
  async function loadCopy(): Promise<typeof import('../../src/index.js')> {
    vi.resetModules();
    return import('../../src/index.js');
  }

  it('know their own version', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(VERSION).toBe(version);
  });

  it('are named, with versions, when a definition comes from the other', async () => {
    const copy = await loadCopy();
    const definition = copy.defineClient({ create: () => ({}) });
    const error = thrown(() => ClientsModule.forRoot({ clients: { main: definition as never } }));
    expect(error).toMatchObject({ code: 'CLIENTS_INVALID_OPTIONS' });
    expect(error.message).toContain(`another copy of nestjs-clients (version ${VERSION}; this one is ${VERSION})`);
    expect(error.message).toContain('npm ls nestjs-clients');
  });

  it('are named, with versions, when a client is unknown that the other may have declared', async () => {
    const copy = await loadCopy();
    const app = await bootApp({
      imports: [
        ClientsModule.forRoot({ clients: main() }),
        copy.ClientsModule.forRoot({ clients: { other: copy.defineClient({ create: () => ({}) }) } }),
      ],
    });
    const error = await rejection(registryOf(app).get('other'));
    expect(error.message).toMatch(/copies of nestjs-clients are loaded \(versions .*\d/);
  });

  it('inject each other’s clients: the decorator goes by name', async () => {
    const copy = await loadCopy();
    @Injectable()
    class Consumer {
      constructor(@copy.InjectClient('main') readonly client: unknown) {}
    }
    const app = await bootApp({ imports: [ClientsModule.forRoot({ clients: main() })], providers: [Consumer] });
    expect(app.get(Consumer).client).toBe(await registryOf(app).get('main'));
  });

  it('recognise each other’s errors with instanceof', async () => {
    const copy = await loadCopy();
    const error = new copy.ClientsClosedError('main');
    expect(error instanceof ClientsClosedError).toBe(true);
    expect(error instanceof ClientsError).toBe(true);
    expect(error instanceof ClientsUnknownError).toBe(false);
    expect(new ClientsUnknownError('x', []) instanceof copy.ClientsUnknownError).toBe(true);
    expect(new ClientsUnknownError('x', []) instanceof copy.ClientsClosedError).toBe(false);
    for (const other of [new Error('x'), undefined, null, 1, { code: 'CLIENTS_CLOSED' }]) {
      expect((other as unknown) instanceof ClientsError).toBe(false);
      expect((other as unknown) instanceof ClientsClosedError).toBe(false);
    }
    class Own extends ClientsClosedError {}
    expect(error instanceof Own).toBe(false);
    expect(new Own('x') instanceof ClientsClosedError).toBe(true);
  });
});
