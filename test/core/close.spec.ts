import { Global, Inject, Injectable, Module, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import {
  ClientRegistry,
  defineClient,
  getClientToken,
  InjectClient,
  type ClientDriver,
  type ClientLifecycle,
} from '../../src/index.js';
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
import { boom, cyclic, cyclicAggregate, revoked } from '../support/hostile-errors.js';
import { FakeClient, Journal } from '../support/journal.js';

/** A client whose close takes a few turns of the event loop, so that what does not wait for it overtakes it. */
function slowly(
  journal: Journal,
  name: string,
  driver: Partial<ClientDriver<FakeClient>> = {},
  lifecycle?: ClientLifecycle,
) {
  const close = async () => {
    journal.write(`closing ${name}`);
    for (let turns = 0; turns < 5; turns += 1) await turn();
    journal.write(`closed ${name}`);
  };
  return journal.client(name, { close, ...driver }, lifecycle);
}

const on = (...names: string[]) => ({ inject: names.map(getClientToken) });
const asking = (journal: Journal, name: string, base: string): Partial<ClientDriver<FakeClient>> => ({
  inject: [ClientRegistry],
  create: async (registry: ClientRegistry) => {
    await registry.get(base);
    return journal.build(name);
  },
});

async function bootAll(clients: Parameters<typeof clientsOf>[0], ...names: string[]) {
  const app = await bootApp({ imports: [clientsOf(clients)] });
  const registry = registryOf(app);
  for (const name of names) await registry.get(name);
  return { app, registry };
}

describe('the order of closing', () => {
  const dependentsFirst = ['closing dependent', 'closed dependent', 'closing base', 'closed base'];

  const ways: [string, (journal: Journal) => Partial<ClientDriver<FakeClient>>][] = [
    ['inject', () => on('base')],
    ['registry.get() in create()', (journal) => asking(journal, 'dependent', 'base')],
  ];
  for (const [way, driver] of ways) {
    for (const eager of [false, true]) {
      for (const [when, names] of [
        ['together with it', ['dependent']],
        ['after it', ['base', 'dependent']],
      ] as const) {
        it(`closes a dependent first, built through ${way} ${when}${eager ? ', on an eager client' : ''}`, async () => {
          const journal = new Journal();
          const base = slowly(journal, 'base', {}, { eager });
          const dependent = slowly(journal, 'dependent', driver(journal));
          const { app } = await bootAll({ base, dependent }, ...names);
          await app.close();
          expect(journal.entries.slice(-4)).toEqual(dependentsFirst);
        });
      }
    }
  }

  it('closes a dependent first that found its base with registry.peek() in create()', async () => {
    const journal = new Journal();
    const dependent = slowly(journal, 'dependent', {
      inject: [ClientRegistry],
      create: (registry: ClientRegistry) => {
        expect(registry.peek('base')).toBe(journal.built[0]);
        return journal.build('dependent');
      },
    });
    const { app } = await bootAll({ base: slowly(journal, 'base'), dependent }, 'base', 'dependent');
    await app.close();
    expect(journal.entries.slice(-4)).toEqual(dependentsFirst);
  });

  it('closes an eager dependent before the eager client that it is built on', async () => {
    const journal = new Journal();
    const base = slowly(journal, 'base', {}, { eager: true });
    const dependent = slowly(journal, 'dependent', on('base'), { eager: true });
    const { app } = await bootAll({ base, dependent });
    await app.close();
    expect(journal.entries.slice(-4)).toEqual(dependentsFirst);
  });

  @Injectable()
  class Service {
    constructor(@InjectClient('base') readonly base: FakeClient) {}
  }

  @Injectable()
  class OuterService {
    constructor(readonly service: Service) {}
  }
  Reflect.defineMetadata('design:paramtypes', [Service], OuterService);

  const services: [string, Type][] = [
    ['a service', Service],
    ['a service on a service', OuterService],
  ];
  for (const [way, token] of services) {
    for (const eager of [false, true]) {
      it(`closes a dependent first that is built through ${way}${eager ? ', on an eager client' : ''}`, async () => {
        const journal = new Journal();
        const servicesModule = moduleOf(
          { providers: [Service, OuterService], exports: [Service, OuterService] },
          'ServicesModule',
        );
        const base = slowly(journal, 'base', {}, { eager });
        const dependent = slowly(journal, 'dependent', { inject: [token] });
        const app = await bootApp({ imports: [clientsOf({ base, dependent }, { imports: [servicesModule] })] });
        // The service, and the client that it injects, are there since bootstrap: this build asks for neither.
        await registryOf(app).get('dependent');
        await app.close();
        expect(journal.entries.slice(-4)).toEqual(dependentsFirst);
      });
    }
  }

  it('closes a dependent first that is built through a factory provider', async () => {
    const journal = new Journal();
    const provider = {
      provide: 'MADE',
      inject: [getClientToken('base')],
      useFactory: (base: FakeClient) => ({ base }),
    };
    const made = moduleOf({ providers: [provider], exports: ['MADE'] }, 'MadeModule');
    const clients = { base: slowly(journal, 'base'), dependent: slowly(journal, 'dependent', { inject: ['MADE'] }) };
    const app = await bootApp({ imports: [clientsOf(clients, { imports: [made] })] });
    await registryOf(app).get('dependent');
    await app.close();
    expect(journal.entries.slice(-4)).toEqual(dependentsFirst);
  });

  it('closes a dependent first across forRoot calls, in either order of imports', async () => {
    for (const reverse of [false, true]) {
      const journal = new Journal();
      const imports = [
        clientsOf({ dependent: slowly(journal, 'dependent', on('base')) }),
        clientsOf({ base: slowly(journal, 'base') }),
      ];
      const app = await bootApp({ imports: reverse ? imports.toReversed() : imports });
      await registryOf(app).get('dependent');
      await app.close();
      expect(journal.entries.slice(-4)).toEqual(dependentsFirst);
    }
  });

  it('closes a diamond from the top down', async () => {
    const journal = new Journal();
    const clients = {
      bottom: slowly(journal, 'bottom'),
      left: slowly(journal, 'left', on('bottom')),
      right: slowly(journal, 'right', on('bottom')),
      top: slowly(journal, 'top', on('left', 'right')),
    };
    const { app } = await bootAll(clients, 'top');
    await app.close();
    expect(journal.of('closed')).toEqual(['closed top', 'closed left', 'closed right', 'closed bottom']);
  });

  it('closes independent clients at the same time', async () => {
    const journal = new Journal();
    const { app } = await bootAll({ a: slowly(journal, 'a'), b: slowly(journal, 'b') }, 'a', 'b');
    await app.close();
    expect(journal.entries.slice(-4)).toEqual(['closing a', 'closing b', 'closed a', 'closed b']);
  });

  it('forgets what an earlier, failed build was built on', async () => {
    const journal = new Journal();
    let attempts = 0;
    const dependent = slowly(journal, 'dependent', {
      inject: [ClientRegistry],
      create: async (registry: ClientRegistry) => {
        if (++attempts === 1) {
          await registry.get('base');
          throw new Error('no luck');
        }
        return journal.build('dependent');
      },
    });
    const { app, registry } = await bootAll({ base: slowly(journal, 'base'), dependent });
    await rejection(registry.get('dependent'));
    await registry.get('dependent');
    await app.close();
    expect(journal.entries.slice(-4)).toEqual(['closing base', 'closing dependent', 'closed base', 'closed dependent']);
  });
});

describe('the time of closing', () => {
  function hooked(journal: Journal, name: string, global: boolean): Type {
    @Injectable()
    class Hooked {
      async onApplicationShutdown() {
        await turn();
        journal.write(`hook ${name}`);
      }
    }
    const type = moduleOf({ providers: [Hooked] }, `${name}Module`);
    if (global) Global()(type);
    return type;
  }

  it.each([false, true])(
    'comes after every other module’s hook, whatever the order of imports (global: %s)',
    async (global) => {
      const journal = new Journal();
      const app = await bootApp({
        imports: [
          hooked(journal, 'before', global),
          clientsOf({ main: journal.client('main') }),
          hooked(journal, 'after', global),
        ],
        providers: [Consumer],
      });
      await app.close();
      expect(journal.entries.slice(0, 2)).toEqual(['create main', 'connect main']);
      expect(journal.entries.slice(2).toSorted()).toEqual(['close main', 'hook after', 'hook before']);
      expect(journal.entries.at(-1)).toBe('close main');
    },
  );

  it('comes after the hook of a module that imports the clients, and of one that the clients import', async () => {
    const journal = new Journal();
    const imported = hooked(journal, 'imported', false);
    const clients = clientsOf({ main: journal.client('main') }, { imports: [imported], isGlobal: false });
    const importer = moduleOf(
      { imports: [clients, hooked(journal, 'deep', true)], providers: [Consumer] },
      'ImporterModule',
    );
    const app = await bootApp({ imports: [importer] });
    await app.close();
    expect(journal.entries.at(-1)).toBe('close main');
    expect(journal.of('hook')).toHaveLength(2);
  });

  it('lets other modules use their clients in onApplicationShutdown', async () => {
    const journal = new Journal();
    @Injectable()
    class Flusher {
      constructor(@InjectClient('main') private readonly client: FakeClient) {}
      onApplicationShutdown(): void {
        journal.write(`flush: ${this.client.greet()}`);
      }
    }
    @Global()
    @Module({ providers: [Flusher] })
    class FlushModule {}
    const app = await bootApp({ imports: [FlushModule, clientsOf({ main: journal.client('main') })] });
    await app.close();
    expect(journal.entries.slice(2)).toEqual(['flush: hello from main', 'close main']);
  });
});

describe('the deadline of closing', () => {
  const hanging = (
    journal: Journal,
    name: string,
    rest: Partial<ClientDriver<FakeClient>> = {},
    lifecycle?: ClientLifecycle,
  ) => journal.client(name, { close: () => new Promise(() => {}), ...rest }, lifecycle);

  it('destroys a client that does not close within closeTimeout, and reports it', async () => {
    const journal = new Journal();
    const { registry } = await bootAll({ main: hanging(journal, 'main', {}, { closeTimeout: 20 }) }, 'main');
    const failed = nextEvent(registry, 'closeFailed', 'main');
    const error = await rejection(registry.close());
    expect(journal.of('destroy')).toEqual(['destroy main']);
    expect(error).toMatchObject({ code: 'CLIENTS_CLOSE_FAILED', clients: ['main'] });
    expect(error.message).toMatch(/"main".*20 ms.*destroyed by force/);
    expect((await failed).error.message).toContain('20 ms');
    expect(registry.status()[0]).toMatchObject({
      state: 'closed',
      lastError: { message: expect.stringContaining('20 ms') as string },
    });
  });

  it('ends although destroy() hangs too', async () => {
    const main = hanging(new Journal(), 'main', { destroy: () => new Promise(() => {}) }, { closeTimeout: 10 });
    const app = await bootApp({ imports: [clientsOf({ main }, { shutdownTimeout: 50 })], providers: [Consumer] });
    const error = await rejection(registryOf(app).close());
    expect(error.message).toContain('destroy() did not end');
  });

  it('destroys every client that is open when shutdownTimeout has passed, dependents and their bases alike', async () => {
    const journal = new Journal();
    const clients = {
      base: hanging(journal, 'base'),
      middle: hanging(journal, 'middle', on('base')),
      top: hanging(journal, 'top', on('middle')),
    };
    const app = await bootApp({ imports: [clientsOf(clients, { shutdownTimeout: 60 })] });
    const registry = registryOf(app);
    await registry.get('top');
    const startedAt = performance.now();
    const error = await rejection(registry.close());
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(error).toMatchObject({ clients: ['base', 'middle', 'top'] });
    expect(journal.of('destroy')).toEqual(['destroy top', 'destroy middle', 'destroy base']);
  });

  it('ignores forRoot calls that leave shutdownTimeout out', async () => {
    const journal = new Journal();
    const first = clientsOf({ main: hanging(journal, 'main') }, { shutdownTimeout: 60 });
    const registry = registryOf(await bootApp({ imports: [first, clientsOf({ other: journal.client('other') })] }));
    await registry.get('main');
    const error = await rejection(registry.close());
    expect(error.message).toMatch(/"main" \(close\(\) did not end within (\d|[1-5]\d|60) ms/);
  });

  it('uses the longest shutdownTimeout of several forRoot calls', async () => {
    const journal = new Journal();
    const closed = deferred();
    const main = journal.client('main', { close: () => closed.promise });
    const app = await bootApp({
      imports: [
        clientsOf({ other: journal.client('other') }, { shutdownTimeout: 1 }),
        clientsOf({ main }, { shutdownTimeout: 5_000 }),
      ],
      providers: [Consumer],
    });
    const registry = registryOf(app);
    const closing = registry.close();
    setTimeout(closed.resolve, 20);
    await closing;
    expect(journal.of('destroy')).toEqual([]);
  });

  it('destroys at once what fails to close, and still closes the others', async () => {
    const journal = new Journal();
    const fail = (name: string) => journal.client(name, { close: () => Promise.reject(new Error(`${name} is stuck`)) });
    const { registry } = await bootAll({ a: fail('a'), b: journal.client('b'), c: fail('c') }, 'a', 'b', 'c');
    const events = recordEvents(registry);
    const error = await rejection(registry.close());
    expect(error).toMatchObject({ code: 'CLIENTS_CLOSE_FAILED', clients: ['a', 'c'] });
    expect(error.message).toMatch(/"a".*a is stuck.*"c".*c is stuck/);
    expect(journal.of('destroy')).toEqual(['destroy a', 'destroy c']);
    expect(journal.of('close')).toEqual(['close b']);
    expect(
      events
        .filter(({ type }) => type === 'closeFailed')
        .map(({ client }) => client)
        .toSorted(),
    ).toEqual(['a', 'c']);
  });

  it('keeps what close() rejected with as the cause of its error', async () => {
    const cause = new Error('stuck');
    const main = new Journal().client('main', { close: () => Promise.reject(cause) });
    const { registry } = await bootAll({ main }, 'main');
    const error = (await rejection(registry.close())) as Error & { errors: Error[] };
    expect(error.errors[0]?.cause).toBe(cause);
  });

  it('closes what a failing client is built on', async () => {
    const journal = new Journal();
    const top = journal.client('top', {
      ...on('base'),
      close: () => {
        throw new Error('stuck');
      },
    });
    const { app } = await bootAll({ base: journal.client('base'), top }, 'top');
    await app.close();
    expect(journal.entries.slice(-2)).toEqual(['destroy top', 'close base']);
  });

  it.each([
    ['undefined', undefined],
    ['a string', 'stuck'],
    ['null', null],
  ])('survives a close() and a destroy() that throw %s', async (_, value) => {
    const fail = () => {
      throw value; // eslint-disable-line no-throw-literal
    };
    const { registry } = await bootAll({ main: new Journal().client('main', { close: fail, destroy: fail }) }, 'main');
    expect(await rejection(registry.close())).toMatchObject({ code: 'CLIENTS_CLOSE_FAILED', clients: ['main'] });
  });

  it('lets app.close() resolve though clients fail to close', async () => {
    const main = new Journal().client('main', { close: () => Promise.reject(new Error('stuck')) });
    const { app } = await bootAll({ main }, 'main');
    await expect(app.close()).resolves.toBeUndefined();
  });
});

describe('closing once', () => {
  async function boot() {
    const journal = new Journal();
    const app = await bootApp({ imports: [clientsOf({ main: slowly(journal, 'main') })], providers: [Consumer] });
    return { journal, app, registry: registryOf(app) };
  }
  type Booted = Awaited<ReturnType<typeof boot>>;

  const ways: [string, (booted: Booted) => Promise<unknown>][] = [
    ['app.close()', ({ app }) => app.close()],
    ['app.close() twice in sequence', ({ app }) => app.close().then(() => app.close())],
    ['app.close() twice at once', ({ app }) => Promise.all([app.close(), app.close()])],
    ['registry.close() twice at once', ({ registry }) => Promise.all([registry.close(), registry.close()])],
    ['registry.close(), then app.close()', ({ registry, app }) => registry.close().then(() => app.close())],
    ['app.close() during registry.close()', ({ registry, app }) => Promise.all([registry.close(), app.close()])],
    ['registry.close() during app.close()', ({ registry, app }) => Promise.all([app.close(), registry.close()])],
    ['app.close(), then registry.close()', ({ registry, app }) => app.close().then(() => registry.close())],
  ];

  it.each(ways)('happens with %s', async (_, close) => {
    const booted = await boot();
    await close(booted);
    expect(booted.journal.of('closed')).toEqual(['closed main']);
  });

  it('has ended when app.close() during registry.close() resolves', async () => {
    const { journal, app, registry } = await boot();
    void registry.close();
    await app.close();
    expect(journal.of('closed')).toEqual(['closed main']);
  });

  it('returns one promise to all callers', async () => {
    const { registry } = await boot();
    expect(registry.close()).toBe(registry.close());
  });

  it('happens for a testing module that is compiled and never initialised', async () => {
    const journal = new Journal();
    const testing = await Test.createTestingModule({
      imports: [clientsOf({ main: journal.client('main') })],
      providers: [Consumer],
    }).compile();
    await testing.close();
    expect(journal.of('close')).toEqual(['close main']);
  });

  it('never happens to a client that was not built', async () => {
    const journal = new Journal();
    const { app } = await bootAll({ main: journal.client('main'), other: journal.client('other') }, 'other');
    await app.close();
    expect(journal.entries).toEqual(['create other', 'connect other', 'close other']);
  });
});

describe('how a client is closed', () => {
  const disposed: string[] = [];
  class AsyncDisposable {
    [Symbol.asyncDispose](): Promise<void> {
      disposed.push('asyncDispose');
      return Promise.resolve();
    }
    [Symbol.dispose](): void {
      disposed.push('dispose');
    }
  }
  class SyncDisposable {
    [Symbol.dispose](): void {
      disposed.push('dispose');
    }
  }

  it.each([
    ['Symbol.asyncDispose, rather than Symbol.dispose', () => new AsyncDisposable(), ['asyncDispose']],
    ['Symbol.dispose', () => new SyncDisposable(), ['dispose']],
    ['nothing', () => ({}), []],
    ['nothing, for a function', () => () => {}, []],
  ])('uses, without close(), %s', async (_, create: () => object, expected) => {
    disposed.length = 0;
    const { registry } = await bootAll({ main: defineClient({ create }) }, 'main');
    await registry.close();
    expect(disposed).toEqual(expected);
  });

  it('uses destroy() if there is no graceful way', async () => {
    const destroyed: object[] = [];
    const plain = defineClient({ create: () => ({}), destroy: (client) => destroyed.push(client) });
    const { registry } = await bootAll({ plain }, 'plain');
    const client = registry.peek('plain');
    await registry.close();
    expect(destroyed).toEqual([client]);
  });

  it('calls a destroy() that fails once, and names it in the error, if there is no graceful way', async () => {
    let calls = 0;
    const plain = defineClient({
      create: () => ({}),
      destroy: () => {
        calls += 1;
        throw new Error('busy');
      },
    });
    const { registry } = await bootAll({ plain }, 'plain');
    expect((await rejection(registry.close())).message).toContain('"plain" (destroy() failed: busy)');
    expect(calls).toBe(1);
  });

  it('uses close() alone if there is one', async () => {
    disposed.length = 0;
    const main = defineClient({ create: () => new AsyncDisposable(), close: () => disposed.push('close') });
    const { registry } = await bootAll({ main }, 'main');
    await registry.close();
    expect(disposed).toEqual(['close']);
  });

  it('closes nothing if owned is false', async () => {
    const journal = new Journal();
    const { registry } = await bootAll({ main: journal.client('main', {}, { owned: false }) }, 'main');
    await registry.close();
    expect(journal.entries).toEqual(['create main', 'connect main']);
    expect((await rejection(registry.get('main'))).code).toBe('CLIENTS_CLOSED');
  });

  it('closes nothing if owned is false and the build fails after create()', async () => {
    const journal = new Journal();
    const fail = () => {
      throw new Error('no');
    };
    const { registry } = await bootAll({ main: journal.client('main', { onError: fail }, { owned: false }) });
    await rejection(registry.get('main'));
    expect(journal.entries).toEqual(['create main']);
  });
});

describe('after shutdown has begun', () => {
  it('refuses get(), resolve() and injection with CLIENTS_CLOSED, while clients close and after', async () => {
    const journal = new Journal();
    const closing = deferred();
    const main = journal.client('main', { close: () => closing.promise });
    const { app, registry } = await bootAll({ main, other: journal.client('other') }, 'main');
    const closed = registry.close();
    const refused = async () => {
      for (const name of ['main', 'other']) {
        expect(await rejection(registry.get(name))).toMatchObject({ code: 'CLIENTS_CLOSED', client: name });
        expect(await rejection(app.resolve(getClientToken(name)))).toMatchObject({ code: 'CLIENTS_CLOSED' });
      }
    };
    await refused();
    closing.resolve();
    await closed;
    await refused();
    expect(journal.of('create')).toEqual(['create main']);
  });

  it.each(['onModuleDestroy', 'beforeApplicationShutdown', 'onApplicationShutdown'])(
    'builds nothing for a module in %s, and still hands out what is built',
    async (hook) => {
      const journal = new Journal();
      const main = journal.client('main');
      const idle = journal.client('idle');
      const outcomes: unknown[] = [];
      class Late {
        constructor(@Inject(ClientRegistry) private readonly clients: ClientRegistry) {
          Object.assign(this, { [hook]: () => this.use() });
        }
        async use(): Promise<void> {
          outcomes.push(await this.clients.get('main'), await rejection(this.clients.get('idle')));
        }
      }
      const app = await bootApp({ imports: [clientsOf({ main, idle })], providers: [Consumer, Late] });
      await app.close();
      expect(outcomes).toMatchObject([journal.built[0], { code: 'CLIENTS_CLOSED', client: 'idle' }]);
      expect(journal.of('create')).toEqual(['create main']);
    },
  );

  it('lets a build in progress finish while requests drain, and what it is built on', async () => {
    const journal = new Journal();
    const [gate, draining, drained] = [deferred(), deferred(), deferred()];
    const top: Partial<ClientDriver<FakeClient>> = {
      inject: [ClientRegistry],
      create: async (registry: ClientRegistry) => {
        await gate.promise;
        await registry.get('base');
        return journal.build('top');
      },
    };
    const beforeApplicationShutdown = () => {
      draining.resolve();
      return drained.promise;
    };
    const app = await bootApp({
      imports: [clientsOf({ base: journal.client('base'), top: journal.client('top', top) })],
      providers: [{ provide: 'DRAIN', useValue: { beforeApplicationShutdown } }],
    });
    const registry = registryOf(app);
    await registry.get('base');
    const begun = nextEvent(registry, 'creating', 'top');
    const built = registry.get('top');
    await begun;
    const closed = app.close();
    await draining.promise;
    gate.resolve();
    expect(await built).toBe(journal.built[1]);
    drained.resolve();
    await closed;
    expect(journal.of('close')).toEqual(['close top', 'close base']);
  });

  it('refuses an eager client too', async () => {
    const { registry } = await bootAll({ main: new Journal().client('main', {}, { eager: true }) });
    await registry.close();
    expect((await rejection(registry.get('main'))).code).toBe('CLIENTS_CLOSED');
  });

  it('shows every client as closed, and peek() returns none', async () => {
    const journal = new Journal();
    const { registry } = await bootAll({ main: journal.client('main'), other: journal.client('other') }, 'main');
    await registry.close();
    expect(registry.status().map(({ state }) => state)).toEqual(['closed', 'closed']);
    expect(registry.peek('main')).toBeUndefined();
  });

  it('rejects at once for whoever waits for a build, and closes its client before close() resolves', async () => {
    const journal = new Journal();
    const release = deferred();
    const main = slowly(journal, 'main', {
      create: async () => {
        await release.promise;
        return journal.build('main');
      },
    });
    const { registry } = await bootAll({ main });
    const waiting = rejection(registry.get('main'));
    await turn();
    const closed = registry.close().then(() => journal.write('registry closed'));
    expect(await waiting).toMatchObject({ code: 'CLIENTS_CLOSED', client: 'main' });
    expect(journal.entries).toEqual([]);
    release.resolve();
    await closed;
    expect(journal.entries).toEqual(['create main', 'closing main', 'closed main', 'registry closed']);
  });

  it('closes the client of a running build before the one that it is built on', async () => {
    const journal = new Journal();
    const release = deferred();
    const top = slowly(journal, 'top', {
      ...on('base'),
      create: async () => {
        await release.promise;
        return journal.build('top');
      },
    });
    const { registry } = await bootAll({ base: slowly(journal, 'base'), top });
    const waiting = rejection(registry.get('top'));
    await nextEvent(registry, 'created', 'base');
    await turn();
    const closed = registry.close();
    expect((await waiting).code).toBe('CLIENTS_CLOSED');
    release.resolve();
    await closed;
    expect(journal.entries.slice(-4)).toEqual(['closing top', 'closed top', 'closing base', 'closed base']);
  });

  it('does not wait for ever for a build that hangs, names it, and closes its client later', async () => {
    const journal = new Journal();
    const release = deferred();
    const closed = deferred();
    const main = journal.client(
      'main',
      {
        create: async () => {
          await release.promise;
          return journal.build('main');
        },
        close: () => closed.resolve(),
      },
      { closeTimeout: 20 },
    );
    const { registry } = await bootAll({ main });
    const waiting = rejection(registry.get('main'));
    await turn();
    const error = await rejection(registry.close());
    expect(error).toMatchObject({ code: 'CLIENTS_CLOSE_FAILED', clients: ['main'] });
    expect(error.message).toMatch(/"main".*still being created/);
    await waiting;
    release.resolve();
    await closed.promise;
  });

  it('rejects at once for whoever waits until a client is ready', async () => {
    const never = deferred();
    const journal = new Journal();
    const main = journal.client('main', { check: () => never.promise }, { waitUntilReady: true, createTimeout: 5_000 });
    const { registry } = await bootAll({ main });
    const waiting = rejection(registry.get('main'));
    await nextEvent(registry, 'created', 'main');
    const outcomes: string[] = [];
    const refused = waiting.then((error) => outcomes.push(error.code ?? error.message));
    await registry.close();
    await turn();
    expect(outcomes).toEqual(['CLIENTS_CLOSED']);
    expect(journal.of('close')).toEqual(['close main']);
    never.resolve();
    await refused;
  });

  it('builds nothing that a running build asks for', async () => {
    const journal = new Journal();
    const release = deferred();
    const top = journal.client('top', {
      inject: [ClientRegistry],
      create: async (registry: ClientRegistry) => {
        await release.promise;
        await registry.get('base');
        return journal.build('top');
      },
    });
    const { registry } = await bootAll({ base: journal.client('base'), top });
    const waiting = rejection(registry.get('top'));
    await turn();
    const closed = registry.close();
    release.resolve();
    await closed;
    expect((await waiting).code).toBe('CLIENTS_CLOSED');
    expect(journal.entries).toEqual([]);
  });
});

describe('a bootstrap that fails', () => {
  it.each(['onModuleInit', 'onApplicationBootstrap'])('in another module’s %s opens nothing', async (hook) => {
    const journal = new Journal();
    const failing = { provide: 'FAILING', useValue: { [hook]: () => Promise.reject(new Error('no boot')) } };
    for (const order of [1, -1]) {
      const imports = [
        clientsOf({ main: journal.client('main', {}, { eager: true }) }),
        moduleOf({ providers: [failing] }),
      ];
      await rejection(bootApp({ imports: order === 1 ? imports : imports.toReversed() }));
    }
    await turn();
    expect(journal.of('connect')).toEqual([]);
  });

  it('in a provider opens nothing', async () => {
    const journal = new Journal();
    const failing = { provide: 'FAILING', useFactory: () => turn().then(() => Promise.reject(new Error('no boot'))) };
    await rejection(
      bootApp({ imports: [clientsOf({ main: journal.client('main') })], providers: [Consumer, failing] }),
    );
    expect(journal.of('connect')).toEqual([]);
  });
});

describe('a background error', () => {
  function emitting(journal: Journal): { main: ReturnType<Journal['client']> } {
    return { main: journal.client('main', { onError: (client, report) => client.on('error', report) }) };
  }

  it('is published while the client is open, and dropped once it closes', async () => {
    const journal = new Journal();
    const { registry } = await bootAll(emitting(journal), 'main');
    const events = recordEvents(registry);
    const [client] = journal.built;
    client?.emit('error', new Error('lost'));
    expect(events.map(({ type }) => type)).toEqual(['error']);
    expect(registry.status()[0]).toMatchObject({ state: 'open', lastError: { name: 'Error', message: 'lost' } });
    const closing = nextEvent(registry, 'closing');
    const closed = registry.close();
    await closing;
    client?.emit('error', new Error('while closing'));
    await closed;
    client?.emit('error', new Error('after closing'));
    expect(events.map(({ type }) => type)).toEqual(['error', 'closing', 'closed']);
    expect(registry.status()[0]?.lastError?.message).toBe('lost');
  });

  const hostile: [string, unknown][] = [
    ['undefined', undefined],
    ['an Error whose message is an object', Object.assign(new Error('x'), { message: { url: 'redis://u:p@h' } })],
    ['an Error whose message is a number', Object.assign(new Error('redis://u:pw@h'), { message: 42 })],
    ['an Error whose stack is a number', Object.assign(new Error('redis://u:pw@h'), { stack: 42 })],
    ['an Error that is its own cause, with a credential', cyclic(new Error('redis://u:secret@h'))],
    ['an Error whose message getter throws', Object.defineProperty(new Error('x'), 'message', { get: boom })],
    ['an AggregateError that holds itself', cyclicAggregate()],
    ['an AggregateError without errors', Object.assign(new AggregateError([]), { errors: undefined })],
    ['a revoked proxy', revoked()],
  ];

  it.each(hostile)('never throws into the client that reports %s', async (_, error) => {
    let report: ((error: unknown) => void) | undefined;
    const main = new Journal().client('main', { onError: (_client, given) => (report = given) });
    const { registry } = await bootAll({ main }, 'main');
    const published = nextEvent(registry, 'error', 'main');
    report?.(error);
    expect((await published).error).toBeInstanceOf(Error);
    expect(typeof registry.status()[0]?.lastError?.message).toBe('string');
  });
});
