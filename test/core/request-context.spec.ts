import { AsyncLocalStorage } from 'node:async_hooks';
import { Controller, Get, Inject, Injectable, Scope } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { ClsModule, ClsService } from 'nestjs-cls';
import { expect, it } from 'vitest';
import { ClientRegistry, ClientsModule, defineClient, getClientToken, InjectClient } from '../../src/index.js';
import { bootApp, nextEvent, registryOf, rejection, request } from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';
import { RecordingLogger } from '../support/recording-logger.js';

const requests = new AsyncLocalStorage<string>();

/** A client that notes in which request each hook runs. */
function noting() {
  const seen = new Map<string, unknown>();
  const note = (hook: string) => seen.set(hook, requests.getStore());
  const client = defineClient({
    create: async () => {
      note('create');
      await Promise.resolve();
      note('create, later');
      return {};
    },
    connect: () => void note('connect'),
    onError: () => void note('onError'),
    onConnection: () => void note('onConnection'),
  });
  return {
    seen,
    clients: { main: client, on: defineClient({ create: () => ({}), inject: [getClientToken('main')] }) },
  };
}

class Asking {
  constructor(@InjectClient('main') readonly client: unknown) {}
}

@Injectable({ scope: Scope.REQUEST })
class RequestScoped {
  constructor(@InjectClient('main') readonly client: unknown) {}
}

@Controller()
class AskingController {
  constructor(@Inject(RequestScoped) readonly scoped: RequestScoped) {}

  @Get()
  get(): string {
    return typeof this.scoped.client;
  }
}

it.each([
  ['registry.get()', (registry: ClientRegistry) => registry.get('main')],
  ['a client that is built on it', (registry: ClientRegistry) => registry.get('on')],
])('a client is built outside of the request that asks first, by %s', async (_, ask) => {
  const { seen, clients } = noting();
  const app = await bootApp({ imports: [ClientsModule.forRoot({ clients })] });
  await requests.run('request', async () => {
    await ask(registryOf(app));
    expect(requests.getStore()).toBe('request');
  });
  expect([...seen.keys()].toSorted()).toEqual(['connect', 'create', 'create, later', 'onConnection', 'onError']);
  expect(new Set(seen.values())).toEqual(new Set([undefined]));
  await app.close();
});

it('a client is built outside of the request whose ModuleRef.create() asks first', async () => {
  const { seen, clients } = noting();
  const app = await bootApp({ imports: [ClientsModule.forRoot({ clients })] });
  await requests.run('request', () => app.get(ModuleRef).create(Asking));
  expect(new Set(seen.values())).toEqual(new Set([undefined]));
});

it('a client is built outside of the request that a request-scoped consumer serves', async () => {
  const { seen, clients } = noting();
  const app = await bootApp(
    { imports: [ClientsModule.forRoot({ clients })], controllers: [AskingController], providers: [RequestScoped] },
    {
      listen: true,
      prepare: (made) => void made.use((_: unknown, __: unknown, next: () => void) => requests.run('request', next)),
    },
  );
  expect(await (await request(app, '/')).text()).toBe('object');
  expect(seen.size).toBe(5);
  expect(new Set(seen.values())).toEqual(new Set([undefined]));
});

it('a client is built outside of what nestjs-cls keeps for a request, and logged outside too', async () => {
  const lines: unknown[] = [];
  let cls: ClsService | undefined;
  class Logger extends RecordingLogger {
    override log(...parts: unknown[]): void {
      if (String(parts[0]).startsWith('Client "main"')) lines.push(cls?.get('user'));
      super.log(...parts);
    }
  }
  const stores: unknown[] = [];
  const main = defineClient({ create: () => ({ user: stores.push(cls?.get('user')) }), connect: () => {} });
  const app = await bootApp(
    { imports: [ClsModule.forRoot({ global: true }), ClientsModule.forRoot({ clients: { main } })] },
    { logger: new Logger() },
  );
  cls = app.get(ClsService);
  await cls!.run(async () => {
    cls!.set('user', 'ann');
    const connected = nextEvent(registryOf(app), 'connected', 'main');
    await registryOf(app).get('main');
    await connected;
  });
  expect(stores).toEqual([undefined]);
  expect(lines).toEqual([undefined, undefined]); // created, connected
});

it('a hook that enters a context of its own does not do so for clients built later', async () => {
  const contexts = new AsyncLocalStorage<string>();
  const clients = {
    entering: defineClient({ create: () => ({}), connect: () => contexts.enterWith('entered') }),
    later: defineClient({ create: () => ({ context: contexts.getStore() }) }),
  };
  const app = await bootApp({ imports: [ClientsModule.forRoot({ clients })] });
  await registryOf(app).get('entering');
  expect(await registryOf(app).get('later')).toEqual({ context: undefined });
});

it('a client that asks for another inside a request is still seen to be built on it', async () => {
  const closed: string[] = [];
  const clients = {
    main: defineClient({ create: () => ({}), close: async () => void closed.push('main') }),
    on: defineClient({
      inject: [ClientRegistry],
      create: async (registry: ClientRegistry) => {
        await requests.run('inner', () => registry.get('main'));
        return {};
      },
      close: async () => void closed.push('on'),
    }),
  };
  const app = await bootApp({ imports: [ClientsModule.forRoot({ clients })] });
  await requests.run('request', () => registryOf(app).get('on'));
  await app.close();
  expect(closed).toEqual(['on', 'main']);
});

it('a build that fails after compile() has rejected logs nothing', async () => {
  const logger = new RecordingLogger();
  const failing = deferred<object>();
  const clients = { main: defineClient({ create: () => failing.promise }) };
  let registry: ClientRegistry | undefined;
  const compiling = Test.createTestingModule({
    imports: [ClientsModule.forRoot({ clients })],
    providers: [
      Asking,
      {
        provide: 'broken',
        inject: [ClientRegistry],
        useFactory: async (given: ClientRegistry) => {
          registry = given;
          await nextEvent(given, 'creating', 'main');
          throw new Error('broken');
        },
      },
    ],
  })
    .setLogger(logger)
    .compile();
  expect((await rejection(compiling)).message).toBe('broken');
  const failed = nextEvent(registry!, 'createFailed', 'main');
  failing.reject(new Error('too late'));
  await failed;
  expect(logger.ownLines).toEqual([]);
});

it('a build that has failed, in an application that boots all the same, is logged', async () => {
  const logger = new RecordingLogger();
  const main = defineClient({
    create: () => {
      throw new Error('no luck');
    },
  });
  const ask = {
    provide: 'ask',
    inject: [ClientRegistry],
    useFactory: (given: ClientRegistry) => rejection(given.get('main')),
  };
  await bootApp({ imports: [ClientsModule.forRoot({ clients: { main } })], providers: [ask] }, { logger });
  expect(logger.ownLines.filter((line) => line.startsWith('error:') && line.includes('no luck'))).toHaveLength(1);
});
