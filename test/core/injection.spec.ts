import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Optional,
  Param,
  Scope,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type DynamicModule,
  type INestApplication,
  type MiddlewareConsumer,
  type ModuleMetadata,
  type NestInterceptor,
  type NestMiddleware,
  type NestModule,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { APP_GUARD, LazyModuleLoader, ModuleRef } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ClientRegistry, ClientsModule, getClientToken, InjectClient } from '../../src/index.js';
import { bootApp, clientsOf, moduleOf, recordEvents, registryOf, rejection, request } from '../support/boot-app.js';
import { FakeClient, Journal } from '../support/journal.js';

/** Whoever was given the client, with what it was given. */
const witnesses: { consumer: object; client: unknown }[] = [];

beforeEach(() => {
  witnesses.length = 0;
});

function testify(consumer: object, client: unknown): void {
  witnesses.push({ consumer, client });
}

@Controller()
class PingController {
  @Get('ping')
  ping(): string {
    return 'pong';
  }
}

@Controller()
class ControllerConsumer {
  constructor(@InjectClient('main') client: FakeClient) {
    testify(this, client);
  }

  @Get('ping')
  ping(): string {
    return 'pong';
  }
}

@Injectable()
class ServiceConsumer {
  constructor(@InjectClient('main') client: FakeClient) {
    testify(this, client);
  }
}

@Injectable()
class PropertyConsumer {
  @InjectClient('main') private readonly client!: FakeClient;

  onModuleInit(): void {
    testify(this, this.client);
  }
}

@Injectable()
class OptionalConsumer {
  constructor(@Optional() @InjectClient('main') client: FakeClient | undefined) {
    testify(this, client);
  }
}

@Injectable()
class GuardConsumer implements CanActivate {
  constructor(@InjectClient('main') client: FakeClient) {
    testify(this, client);
  }

  canActivate(): boolean {
    return true;
  }
}

@Injectable()
class InterceptorConsumer implements NestInterceptor {
  constructor(@InjectClient('main') client: FakeClient) {
    testify(this, client);
  }

  intercept(_: unknown, next: CallHandler): ReturnType<NestInterceptor['intercept']> {
    return next.handle();
  }
}

@Injectable()
class PipeConsumer implements PipeTransform {
  constructor(@InjectClient('main') client: FakeClient) {
    testify(this, client);
  }

  transform(value: unknown): unknown {
    return value;
  }
}

@Injectable()
class MiddlewareConsumerClass implements NestMiddleware {
  constructor(@InjectClient('main') client: FakeClient) {
    testify(this, client);
  }

  use(_request: unknown, _response: unknown, next: () => void): void {
    next();
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class TransientConsumer {
  constructor(@InjectClient('main') client: FakeClient) {
    testify(this, client);
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestConsumer {
  constructor(@InjectClient('main') client: FakeClient) {
    testify(this, client);
  }
}

@Controller()
class RequestScopedController {
  constructor(@Inject(RequestConsumer) _consumer: RequestConsumer) {}

  @Get('ping')
  ping(): string {
    return 'pong';
  }
}

@Controller()
@UseGuards(GuardConsumer)
class GuardedController {
  @Get('ping')
  ping(): string {
    return 'pong';
  }
}

@Controller()
class InterceptedController {
  @Get('ping')
  @UseInterceptors(InterceptorConsumer)
  ping(): string {
    return 'pong';
  }
}

@Controller()
class PipedController {
  @Get(':value')
  ping(@Param('value', PipeConsumer) value: string): string {
    return value;
  }
}

@Module({ controllers: [PingController] })
class MiddlewareModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(MiddlewareConsumerClass).forRoutes('*path');
  }
}

@Injectable()
class AliasConsumer {
  constructor(@Inject('ALIAS') client: FakeClient) {
    testify(this, client);
  }
}

interface Case {
  kind: string;
  module: ModuleMetadata;
  /** What makes Nest inject, if booting and one request do not. */
  act?: (app: INestApplication) => Promise<unknown>;
  /** The consumer that status() names, if it is a class of the user's. */
  consumer?: Type;
  /** How many instances of the consumer there are after two requests. Default 1. */
  instances?: number;
}

const cases: Case[] = [
  { kind: 'a controller', module: { controllers: [ControllerConsumer] }, consumer: ControllerConsumer },
  { kind: 'a service', module: { providers: [ServiceConsumer] }, consumer: ServiceConsumer },
  { kind: 'a property', module: { providers: [PropertyConsumer] }, consumer: PropertyConsumer },
  { kind: 'an @Optional parameter', module: { providers: [OptionalConsumer] }, consumer: OptionalConsumer },
  { kind: 'a guard', module: { controllers: [GuardedController] }, consumer: GuardConsumer },
  {
    kind: 'an APP_GUARD',
    module: { controllers: [PingController], providers: [{ provide: APP_GUARD, useClass: GuardConsumer }] },
    consumer: GuardConsumer,
  },
  { kind: 'an interceptor', module: { controllers: [InterceptedController] }, consumer: InterceptorConsumer },
  { kind: 'a pipe', module: { controllers: [PipedController] }, consumer: PipeConsumer },
  { kind: 'a middleware', module: { imports: [MiddlewareModule] }, consumer: MiddlewareConsumerClass },
  {
    kind: 'an alias by useExisting',
    module: { providers: [{ provide: 'ALIAS', useExisting: getClientToken('main') }, AliasConsumer] },
  },
  {
    kind: 'a factory provider',
    module: {
      providers: [
        {
          provide: 'MADE',
          inject: [getClientToken('main')],
          useFactory: (client: FakeClient) => {
            const made = { client };
            testify(made, client);
            return made;
          },
        },
      ],
    },
  },
  {
    kind: 'a request-scoped class',
    module: { controllers: [RequestScopedController], providers: [RequestConsumer] },
    consumer: RequestConsumer,
    instances: 2,
  },
  {
    kind: 'a transient class',
    module: { providers: [TransientConsumer] },
    act: async (app) => [await app.resolve(TransientConsumer), await app.resolve(TransientConsumer)],
    consumer: TransientConsumer,
    instances: 2,
  },
  {
    kind: 'a lazily loaded module',
    module: { controllers: [PingController] },
    act: (app) => app.get(LazyModuleLoader).load(() => moduleOf({ providers: [ServiceConsumer] }, 'LazyModule')),
    consumer: ServiceConsumer,
  },
  {
    kind: 'ModuleRef.create()',
    module: { controllers: [PingController] },
    act: (app) => app.get(ModuleRef).create(ServiceConsumer),
    consumer: ServiceConsumer,
  },
  {
    kind: 'app.resolve()',
    module: { controllers: [PingController] },
    act: async (app) => testify({}, await app.resolve(getClientToken('main'))),
  },
];

describe('InjectClient()', () => {
  describe.each(cases)('in $kind', ({ module, act, consumer, instances = 1 }) => {
    async function boot(journal: Journal, eager: boolean): Promise<INestApplication> {
      const clients = clientsOf({ main: journal.client('main', {}, { eager }), unused: journal.client('unused') });
      const app = await bootApp({ ...module, imports: [clients, ...(module.imports ?? [])] }, { listen: true });
      await request(app, '/ping');
      await request(app, '/ping');
      await act?.(app);
      return app;
    }

    it('injects the instance of the registry, which is the SDK’s own object', async () => {
      const journal = new Journal();
      const app = await boot(journal, false);
      const client = await registryOf(app).get('main');
      expect(witnesses).not.toHaveLength(0);
      for (const witness of witnesses) expect(witness.client).toBe(client);
      expect(client).toBe(journal.built[0]);
      expect(client).toBeInstanceOf(FakeClient);
      expect((client as FakeClient).greet()).toBe('hello from main');
    });

    it('builds it once, and an unused client beside it never', async () => {
      const journal = new Journal();
      const app = await boot(journal, false);
      await app.close();
      expect(journal.entries).toEqual(['create main', 'connect main', 'close main']);
    });

    it(`makes ${instances === 1 ? 'the consumer once' : 'a consumer each time'}`, async () => {
      await boot(new Journal(), false);
      expect(new Set(witnesses.map((witness) => witness.consumer)).size).toBe(instances);
    });

    it('names the class in status()', async () => {
      const app = await boot(new Journal(), false);
      const [main, unused] = registryOf(app).status();
      if (consumer) expect(main?.consumers).toEqual([consumer.name]);
      expect(main?.state).toBe('open');
      expect(unused).toEqual({ name: 'unused', kind: 'custom', state: 'idle', consumers: [] });
    });

    it('injects the same instance of an eager client', async () => {
      const journal = new Journal();
      const app = await boot(journal, true);
      for (const witness of witnesses) expect(witness.client).toBe(app.get(getClientToken('main')));
      expect(journal.of('create')).toEqual(['create main']);
    });
  });

  // Lazy modules and ModuleRef.create() come after bootstrap, when Nest does not tell who injects a singleton.
  describe.each(cases.filter(({ act, consumer }) => !act && consumer))('of an eager client in $kind', (example) => {
    it('names the class in status()', async () => {
      const clients = clientsOf({ main: new Journal().client('main', {}, { eager: true }) });
      const app = await bootApp({ ...example.module, imports: [clients, ...(example.module.imports ?? [])] });
      expect(registryOf(app).status()[0]?.consumers).toEqual([example.consumer?.name]);
    });
  });

  it('neither builds nor closes a client that nobody injects', async () => {
    const journal = new Journal();
    const app = await bootApp({ imports: [clientsOf({ main: journal.client('main') })] }, { listen: true });
    const registry = registryOf(app);
    expect(await registry.check('main')).toEqual({ name: 'main', kind: 'custom', status: 'idle' });
    expect(registry.peek('main')).toBeUndefined();
    await app.close();
    expect(journal.entries).toEqual([]);
    expect(registry.status()[0]?.state).toBe('closed');
  });

  it('names every class once, in the order of injection, with one event each', async () => {
    const journal = new Journal();
    const events: string[] = [];
    class Recording {
      readonly isRecording = true;

      constructor(registry: ClientRegistry) {
        registry.events$.subscribe((event) => event.type === 'injected' && events.push(event.consumer));
      }
    }
    const recording = {
      provide: Recording,
      inject: [ClientRegistry],
      useFactory: (r: ClientRegistry) => new Recording(r),
    };
    const app = await bootApp({
      imports: [clientsOf({ main: journal.client('main') }), moduleOf({ providers: [recording] }, 'RecordingModule')],
      controllers: [ControllerConsumer],
      providers: [ServiceConsumer, PropertyConsumer, TransientConsumer],
    });
    const registry = registryOf(app);
    await app.resolve(TransientConsumer);
    await app.resolve(TransientConsumer);
    const { consumers = [] } = registry.status()[0] ?? {};
    expect(consumers.toSorted()).toEqual([
      'ControllerConsumer',
      'PropertyConsumer',
      'ServiceConsumer',
      'TransientConsumer',
    ]);
    expect(events).toEqual(consumers);
  });

  it('fails like any missing dependency of Nest, naming the token, if the client is not declared', async () => {
    const error = await rejection(
      bootApp({ imports: [clientsOf({ other: new Journal().client('other') })], providers: [ServiceConsumer] }),
    );
    expect(error.message).toContain(getClientToken('main'));
  });

  it('injects undefined into an @Optional parameter if the client is not declared', async () => {
    await bootApp({ providers: [OptionalConsumer] });
    expect(witnesses.map(({ client }) => client)).toEqual([undefined]);
  });

  it('distinguishes names that differ in case only', async () => {
    const journal = new Journal();
    const app = await bootApp({ imports: [clientsOf({ a: journal.client('a'), A: journal.client('A') })] });
    const registry = registryOf(app);
    expect([await registry.get('a'), await registry.get('A')]).toEqual(journal.built);
    expect(journal.built.map(({ clientName }) => clientName)).toEqual(['a', 'A']);
  });
});

describe('ClientsModule.forRoot({ isGlobal })', () => {
  it('lets every module inject by default', async () => {
    const journal = new Journal();
    const feature = moduleOf({ providers: [ServiceConsumer] }, 'FeatureModule');
    await bootApp({ imports: [feature, clientsOf({ main: journal.client('main') })] });
    expect(witnesses.map(({ client }) => client)).toEqual(journal.built);
  });

  it('keeps clients to the modules that import it if false', async () => {
    const clients = clientsOf({ main: new Journal().client('main') }, { isGlobal: false });
    const feature = moduleOf({ providers: [ServiceConsumer] }, 'FeatureModule');
    const error = await rejection(bootApp({ imports: [clients, feature] }));
    expect(error.message).toContain('ServiceConsumer');
    expect(error.message).toContain(getClientToken('main'));
  });

  it('provides clients and registry to a module that imports it, if false', async () => {
    const journal = new Journal();
    const clients = clientsOf({ main: journal.client('main') }, { isGlobal: false });
    const registries: ClientRegistry[] = [];
    const feature = moduleOf(
      {
        imports: [clients],
        providers: [
          ServiceConsumer,
          {
            provide: 'REGISTRY',
            inject: [ClientRegistry],
            useFactory: (registry: ClientRegistry) => registries.push(registry),
          },
        ],
      },
      'FeatureModule',
    );
    const app = await bootApp({ imports: [feature] });
    expect(witnesses.map(({ client }) => client)).toEqual(journal.built);
    expect(registries).toEqual([registryOf(app)]);
  });

  it('shares a client between two modules that import the same dynamic module', async () => {
    const journal = new Journal();
    const clients = clientsOf({ main: journal.client('main') }, { isGlobal: false });
    const first = moduleOf({ imports: [clients], providers: [ServiceConsumer] }, 'FirstModule');
    const second = moduleOf({ imports: [clients], providers: [PropertyConsumer] }, 'SecondModule');
    await bootApp({ imports: [first, second] });
    expect(witnesses).toHaveLength(2);
    expect(journal.of('create')).toEqual(['create main']);
  });
});

describe('ClientsModule.forRoot() called several times', () => {
  const feature = (clients: DynamicModule) => moduleOf({ imports: [clients] }, 'FeatureModule');

  it('shares one registry, which lists all in order of declaration', async () => {
    const journal = new Journal();
    const app = await bootApp({
      imports: [
        feature(clientsOf({ a: journal.client('a'), b: journal.client('b') })),
        feature(clientsOf({ c: journal.client('c') })),
        clientsOf({ d: journal.client('d') }),
      ],
    });
    const registry = registryOf(app);
    expect(
      registry
        .status()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['a', 'b', 'c', 'd']);
    for (const name of ['a', 'b', 'c', 'd']) expect(await registry.get(name)).toBeInstanceOf(FakeClient);
    await app.close();
    expect(journal.of('close')).toHaveLength(4);
  });

  it('lets a client of one call be built on a client of another', async () => {
    const journal = new Journal();
    const dependent = journal.client('dependent', {
      inject: [getClientToken('base')],
      create: (base: FakeClient) => journal.build(`dependent on ${base.clientName}`),
    });
    const app = await bootApp({ imports: [clientsOf({ dependent }), clientsOf({ base: journal.client('base') })] });
    await registryOf(app).get('dependent');
    expect(journal.of('create')).toEqual(['create base', 'create dependent on base']);
  });

  it.each([
    ['in one module', (a: DynamicModule, b: DynamicModule) => [a, b]],
    ['in two feature modules', (a: DynamicModule, b: DynamicModule) => [feature(a), feature(b)]],
  ])('refuses a name that is declared twice %s with CLIENTS_DUPLICATE', async (_, imports) => {
    const journal = new Journal();
    const options = { isGlobal: false };
    const twice = [
      clientsOf({ main: journal.client('main') }, options),
      clientsOf({ main: journal.client('main') }, options),
    ];
    const error = await rejection(bootApp({ imports: imports(twice[0]!, twice[1]!) }));
    expect(error).toMatchObject({ code: 'CLIENTS_DUPLICATE', name: 'ClientsDuplicateError', client: 'main' });
    expect(error.message).toContain('"main"');
    expect(journal.entries).toEqual([]);
  });

  it('serves a module that is loaded lazily and declares clients of its own', async () => {
    const journal = new Journal();
    const app = await bootApp({ imports: [clientsOf({ main: journal.client('main') })] });
    const lazy = moduleOf({ imports: [clientsOf({ late: journal.client('late') })] }, 'LazyModule');
    await app.get(LazyModuleLoader).load(() => lazy);
    await registryOf(app).get('late');
    await app.close();
    expect(journal.entries).toEqual(['create late', 'connect late', 'close late']);
  });

  // Nest calls no hook of a module that was loaded lazily. Applications declare their clients in a module that is not.
  it('builds the clients of a lazily loaded module, if no other declares any, and leaves closing to the caller', async () => {
    const journal = new Journal();
    const app = await bootApp({ imports: [] });
    const lazy = moduleOf({ imports: [clientsOf({ late: journal.client('late') })] }, 'LazyModule');
    const moduleRef = await app.get(LazyModuleLoader).load(() => lazy);
    const registry: ClientRegistry = moduleRef.get(ClientRegistry, { strict: false });
    expect(await registry.get('late')).toBeInstanceOf(FakeClient);
    await registry.close();
    expect(journal.of('close')).toEqual(['close late']);
  });
});

describe('overrideProvider(getClientToken())', () => {
  async function compile(
    journal: Journal,
    lifecycle = {},
  ): Promise<{ app: INestApplication; registry: ClientRegistry }> {
    const dependent = journal.client('dependent', {
      inject: [getClientToken('main')],
      create: (main: unknown) => {
        testify({}, main);
        return journal.build('dependent');
      },
    });
    const testing = await Test.createTestingModule({
      imports: [ClientsModule.forRoot({ clients: { main: journal.client('main', {}, lifecycle), dependent } })],
      providers: [ServiceConsumer],
    })
      .overrideProvider(getClientToken('main'))
      .useValue('the override')
      .compile();
    const app = testing.createNestApplication({ logger: false });
    onTestFinished(() => app.close());
    await app.init();
    return { app, registry: registryOf(app) };
  }

  it.each([{}, { eager: true }, { waitUntilReady: true }])(
    'builds, opens and closes nothing, with $0',
    async (lifecycle) => {
      const journal = new Journal();
      const { app, registry } = await compile(journal, lifecycle);
      await registry.get('main');
      expect(await registry.check('main')).toMatchObject({ status: 'idle' });
      await app.close();
      expect(journal.entries).toEqual([]);
    },
  );

  it('passes the override to consumers, to the registry and to dependents', async () => {
    const { registry } = await compile(new Journal());
    await registry.get('dependent');
    expect(await registry.get('main')).toBe('the override');
    expect(witnesses.map(({ client }) => client)).toEqual(['the override', 'the override']);
  });
});

describe('eager: true', () => {
  it('builds at bootstrap though nobody injects it, and opens it after bootstrap', async () => {
    const journal = new Journal();
    const app = await bootApp({
      imports: [clientsOf({ main: journal.client('main', {}, { eager: true }) })],
      providers: [{ provide: 'HOOK', useValue: { onApplicationBootstrap: () => journal.write('bootstrap') } }],
    });
    expect(journal.entries).toEqual(['create main', 'bootstrap', 'connect main']);
    expect(app.get(getClientToken('main'))).toBe(journal.built[0]);
    expect(registryOf(app).peek('main')).toBe(journal.built[0]);
  });

  it('lists consumers of a client that a lazily loaded module declares', async () => {
    const app = await bootApp({ imports: [clientsOf({})] });
    const clients = clientsOf({ main: new Journal().client('main', {}, { eager: true }) });
    await app.get(LazyModuleLoader).load(() => moduleOf({ imports: [clients], providers: [ServiceConsumer] }, 'Lazy'));
    expect(registryOf(app).status()).toMatchObject([{ name: 'main', consumers: ['ServiceConsumer'] }]);
  });

  it('lists consumers in status() and publishes them', async () => {
    const app = await bootApp({
      imports: [clientsOf({ main: new Journal().client('main', {}, { eager: true }) })],
      controllers: [ControllerConsumer],
      providers: [ServiceConsumer, PropertyConsumer],
    });
    expect(registryOf(app).status()[0]?.consumers.toSorted()).toEqual([
      'ControllerConsumer',
      'PropertyConsumer',
      'ServiceConsumer',
    ]);
  });

  it('fails bootstrap when it cannot be built', async () => {
    const main = new Journal().client('main', { create: () => Promise.reject(new Error('no')) }, { eager: true });
    expect(await rejection(bootApp({ imports: [clientsOf({ main })] }))).toMatchObject({
      code: 'CLIENTS_CREATE_FAILED',
    });
  });
});

describe('a lazy client', () => {
  it('throws on app.get(), as Nest does for what is not a singleton', async () => {
    const app = await bootApp({ imports: [clientsOf({ main: new Journal().client('main') })] });
    expect(() => app.get<unknown>(getClientToken('main'))).toThrow(/resolve/);
  });

  it('publishes creating, created, injected and connected, for the class that injects it', async () => {
    const app = await bootApp({ imports: [clientsOf({ main: new Journal().client('main') })] });
    const events = recordEvents(registryOf(app));
    await app.get(ModuleRef).create(ServiceConsumer);
    expect(events.map(({ type }) => type).toSorted()).toEqual(['connected', 'created', 'creating', 'injected']);
    for (const event of events) if ('consumer' in event) expect(event.consumer).toBe('ServiceConsumer');
  });
});
