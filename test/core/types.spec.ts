import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { configurableClient } from '../../src/definition/configurable-client.js';
import {
  ClientRegistry,
  ClientsModule,
  defineClient,
  type ClientDefinition,
  type ClientEvent,
  type ClientHealth,
  type ClientOptionsOf,
  type ClientsCloseFailedError,
  type ClientsErrorCode,
  type ClientsOf,
  type ClientsOptionsFactory,
  type ClientState,
  type ClientStatus,
} from '../../src/index.js';

// `tsc --noEmit` checks this file. What is written in `types` is compiled, and never run.
const types = (_check: () => unknown) => {};

class Pool {
  readonly size = 1;
  async query(sql: string): Promise<string> {
    return sql;
  }
  end(): void {}
}

interface SdkOptions {
  url: string;
  retries?: number;
}

class Sdk {
  constructor(readonly options: SdkOptions) {}
}

function sdkClient(options?: SdkOptions): ClientDefinition<Sdk, SdkOptions> {
  return configurableClient<Sdk, SdkOptions>(
    { kind: 'sdk', findProblem: () => undefined, create: (given) => new Sdk(given) },
    options,
  );
}

const clients = {
  sdk: sdkClient(),
  cache: sdkClient({ url: 'x' }),
  pool: defineClient({ create: () => new Pool() }),
  later: defineClient({ create: async () => new Pool() }),
};
type AppClients = ClientsOf<typeof clients>;
declare const registry: ClientRegistry<AppClients>;
declare const untyped: ClientRegistry;

describe('defineClient()', () => {
  it('infers the client from create, sync and async', () => {
    expectTypeOf(clients.pool).toEqualTypeOf<ClientDefinition<Pool, never>>();
    expectTypeOf(clients.later).toEqualTypeOf<ClientDefinition<Pool, never>>();
  });

  it('is a definition of its client, whatever options the client takes', () => {
    types((): [ClientDefinition<Pool>, ClientDefinition<Sdk>, Record<string, ClientDefinition>] => [
      clients.pool,
      clients.sdk,
      clients,
    ]);
  });

  it('passes that type to every other function of the driver', () => {
    types(() =>
      defineClient({
        create: async () => new Pool(),
        connect: (pool) => expectTypeOf(pool).toEqualTypeOf<Pool>(),
        check: (pool) => expectTypeOf(pool).toEqualTypeOf<Pool>(),
        close: (pool) => expectTypeOf(pool).toEqualTypeOf<Pool>(),
        destroy: (pool) => expectTypeOf(pool).toEqualTypeOf<Pool>(),
        onError: (pool, report) => {
          expectTypeOf(pool).toEqualTypeOf<Pool>();
          expectTypeOf(report).toEqualTypeOf<(error: unknown) => void>();
        },
      }),
    );
  });

  it('takes dependencies of any type', () => {
    const made = defineClient({
      inject: ['URL', Pool],
      create: (url: string, pool: Pool) => ({ url, pool }),
      check: ({ pool }) => pool.query('select 1'),
    });
    expectTypeOf(made).toEqualTypeOf<ClientDefinition<{ url: string; pool: Pool }, never>>();
  });

  it('refuses what is not a driver or not a lifecycle', () => {
    types(() => [
      // @ts-expect-error create is missing
      defineClient({ close: () => {} }),
      // @ts-expect-error a typo
      defineClient({ create: () => new Pool(), closs: () => {} }),
      // @ts-expect-error a method that the client does not have
      defineClient({ create: () => new Pool(), close: (pool) => pool.quit() }),
      // @ts-expect-error not a lifecycle option
      defineClient({ create: () => new Pool() }, { eagre: true }),
      // @ts-expect-error not a moment to connect
      defineClient({ create: () => new Pool() }, { connect: 'now' }),
      // @ts-expect-error not a scope
      defineClient({ create: () => new Pool() }, { scope: 'request' }),
      // @ts-expect-error not a number of milliseconds
      defineClient({ create: () => new Pool() }, { closeTimeout: '5s' }),
    ]);
  });
});

describe('ClientsOf and ClientOptionsOf', () => {
  it('map names to clients, and to the options of those that take any', () => {
    expectTypeOf<AppClients>().toEqualTypeOf<{ sdk: Sdk; cache: Sdk; pool: Pool; later: Pool }>();
    expectTypeOf<ClientOptionsOf<typeof clients>>().toEqualTypeOf<{ sdk?: SdkOptions; cache?: SdkOptions }>();
  });

  it('work on readonly definitions', () => {
    const frozen = Object.freeze({ pool: clients.pool, sdk: clients.sdk });
    expectTypeOf<ClientsOf<typeof frozen>>().toEqualTypeOf<{ pool: Pool; sdk: Sdk }>();
    expectTypeOf<ClientOptionsOf<typeof frozen>>().toEqualTypeOf<{ sdk?: SdkOptions }>();
  });
});

describe('ClientRegistry<C>', () => {
  it('types get() and peek() by name', () => {
    types(() => {
      expectTypeOf(registry.get('pool')).toEqualTypeOf<Promise<Pool>>();
      expectTypeOf(registry.get('sdk')).toEqualTypeOf<Promise<Sdk>>();
      expectTypeOf(registry.peek('sdk')).toEqualTypeOf<Sdk | undefined>();
      expectTypeOf(registry.check('sdk')).toEqualTypeOf<Promise<ClientHealth>>();
      expectTypeOf(registry.check('sdk', { timeout: 1 })).toEqualTypeOf<Promise<ClientHealth>>();
      expectTypeOf(registry.close()).toEqualTypeOf<Promise<void>>();
      expectTypeOf(registry.status()).toEqualTypeOf<ClientStatus[]>();
      expectTypeOf(registry.events$).toEqualTypeOf<Observable<ClientEvent>>();
    });
  });

  it('refuses names that are not declared', () => {
    types(() => [
      // @ts-expect-error a typo
      registry.get('pol'),
      // @ts-expect-error a typo
      registry.peek('pol'),
      // @ts-expect-error a typo
      registry.check('pol'),
      // @ts-expect-error no string
      registry.get(1),
    ]);
  });

  it('takes any name, and returns unknown, without type parameter', () => {
    types(() => {
      expectTypeOf(untyped.get('anything')).toEqualTypeOf<Promise<unknown>>();
      expectTypeOf(untyped.peek('anything')).toEqualTypeOf<unknown>();
    });
  });

  it('takes any name when it comes from app.get(ClientRegistry), for which TypeScript infers nothing', () => {
    types((app = {} as INestApplication) => {
      expectTypeOf(app.get(ClientRegistry).get('anything')).toEqualTypeOf<Promise<unknown>>();
      expectTypeOf(app.get(ClientRegistry).peek('anything')).toEqualTypeOf<unknown>();
      expectTypeOf(app.get(ClientRegistry<AppClients>).get('pool')).toEqualTypeOf<Promise<Pool>>();
    });
  });

  it('may be an interface as well as a type', () => {
    interface Declared extends ClientsOf<typeof clients> {}
    types(() => expectTypeOf(({} as ClientRegistry<Declared>).get('pool')).toEqualTypeOf<Promise<Pool>>());
  });
});

describe('ClientsModule.forRoot()', () => {
  it('refuses what is not a definition, and a misspelt option', () => {
    types(() => [
      // @ts-expect-error not a definition
      ClientsModule.forRoot({ clients: { pool: new Pool() } }),
      // @ts-expect-error a typo
      ClientsModule.forRoot({ clients, isGlobl: true }),
      // @ts-expect-error clients are missing
      ClientsModule.forRoot({}),
    ]);
  });
});

describe('ClientsModule.forRootAsync()', () => {
  const url = 'x';

  it('types what useFactory returns from the definitions, sync and async', () => {
    types(() => [
      ClientsModule.forRootAsync({ clients, useFactory: () => ({ sdk: { url } }) }),
      ClientsModule.forRootAsync({ clients, useFactory: async () => ({ sdk: { url, retries: 1 }, cache: { url } }) }),
      ClientsModule.forRootAsync({ clients, useFactory: () => ({}) }),
      ClientsModule.forRootAsync({
        clients,
        inject: [Pool],
        useFactory: (pool: Pool) => ({ sdk: { url, retries: pool.size } }),
      }),
      ClientsModule.forRootAsync({
        clients,
        inject: [Pool, 'N'],
        useFactory: async (pool: Pool, n: number) => ({ sdk: { url, retries: pool.size + n } }),
      }),
    ]);
  });

  it('refuses names of no client, or of a client that takes no options', () => {
    types(() => [
      // @ts-expect-error a typo
      ClientsModule.forRootAsync({ clients, useFactory: () => ({ skd: { url } }) }),
      // @ts-expect-error a typo
      ClientsModule.forRootAsync({ clients, useFactory: async () => ({ sdk: { url }, skd: { url } }) }),
      // @ts-expect-error a custom client takes no options
      ClientsModule.forRootAsync({ clients, useFactory: () => ({ pool: {} }) }),
      // @ts-expect-error a typo, in a factory that injects
      ClientsModule.forRootAsync({ clients, useFactory: (pool: Pool) => ({ skd: { url, pool } }) }),
    ]);
  });

  it('refuses options of the wrong type', () => {
    types(() => [
      // @ts-expect-error not a string
      ClientsModule.forRootAsync({ clients, useFactory: () => ({ sdk: { url: 1 } }) }),
      // @ts-expect-error not a number
      ClientsModule.forRootAsync({ clients, useFactory: async () => ({ sdk: { url, retries: 'many' } }) }),
      // @ts-expect-error not an object
      ClientsModule.forRootAsync({ clients, useFactory: () => ({ sdk: url }) }),
      // @ts-expect-error nothing
      ClientsModule.forRootAsync({ clients, useFactory: () => {} }),
    ]);
  });

  it('types useClass from the definitions', () => {
    class Factory implements ClientsOptionsFactory<typeof clients> {
      createClientsOptions() {
        return { sdk: { url } };
      }
    }
    class Late implements ClientsOptionsFactory<typeof clients> {
      async createClientsOptions() {
        return { sdk: { url } };
      }
    }
    class Wrong {
      createClientsOptions() {
        return { sdk: { url: 1 } };
      }
    }
    class Unrelated {
      readonly isFactory = false;
    }
    class Mistaken implements ClientsOptionsFactory<typeof clients> {
      // @ts-expect-error a wrong option
      createClientsOptions() {
        return { sdk: { url: 1 } };
      }
    }
    types(() => [
      ClientsModule.forRootAsync({ clients, useClass: Factory }),
      ClientsModule.forRootAsync({ clients, useClass: Late }),
      Mistaken,
      ClientsModule.forRootAsync({ clients, useExisting: Factory }),
      ClientsModule.forRootAsync({ clients, useExisting: 'TOKEN' }),
      // @ts-expect-error options of the wrong type
      ClientsModule.forRootAsync({ clients, useClass: Wrong }),
      // @ts-expect-error no factory
      ClientsModule.forRootAsync({ clients, useClass: Unrelated }),
    ]);
  });
});

describe('imports', () => {
  it('may be undefined, as that of Nest', () => {
    types(() => (imports: ModuleMetadata['imports']) => [
      ClientsModule.forRoot({ clients: {}, imports }),
      ClientsModule.forRootAsync({ clients, imports, useFactory: () => ({}) }),
    ]);
  });
});

describe('ClientEvent', () => {
  it('narrows by type', () => {
    types(() => (event: ClientEvent) => {
      expectTypeOf(event.client).toEqualTypeOf<string>();
      expectTypeOf(event.at).toEqualTypeOf<Date>();
      switch (event.type) {
        case 'creating':
          return expectTypeOf(event.consumer).toEqualTypeOf<string | undefined>();
        case 'injected':
          return expectTypeOf(event.consumer).toEqualTypeOf<string>();
        case 'created':
        case 'connected':
        case 'closed':
          return expectTypeOf(event.duration).toEqualTypeOf<number>();
        case 'createFailed':
        case 'closeFailed':
          expectTypeOf(event.duration).toEqualTypeOf<number>();
          return expectTypeOf(event.error).toEqualTypeOf<Error>();
        case 'error':
          return expectTypeOf(event.error).toEqualTypeOf<Error>();
        case 'disconnected':
          return expectTypeOf(event.error).toEqualTypeOf<Error | undefined>();
        case 'closing':
          // @ts-expect-error closing has only begun
          return event.duration;
        default:
          return expectTypeOf(event).toEqualTypeOf<never>();
      }
    });
  });

  it('has the documented types only', () => {
    expectTypeOf<ClientEvent['type']>().toEqualTypeOf<
      | 'creating'
      | 'created'
      | 'createFailed'
      | 'injected'
      | 'connected'
      | 'disconnected'
      | 'error'
      | 'closing'
      | 'closed'
      | 'closeFailed'
    >();
    expectTypeOf<ClientState>().toEqualTypeOf<'idle' | 'creating' | 'open' | 'closing' | 'closed'>();
  });
});

describe('errors', () => {
  it('have codes that are literals', () => {
    expectTypeOf<ClientsCloseFailedError['code']>().toEqualTypeOf<'CLIENTS_CLOSE_FAILED'>();
    expectTypeOf<ClientsCloseFailedError['code']>().toExtend<ClientsErrorCode>();
    expect(types(() => clients)).toBeUndefined();
  });
});
