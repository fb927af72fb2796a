import { setImmediate } from 'node:timers/promises';
import { inspect, types } from 'node:util';
import type { DynamicModule, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ClientsModule, defineClient, getClientToken } from '../../src/index.js';
import { closedBy, openHandles } from '../support/open-handles.js';
import { bootApp, clientsOf, moduleOf, nextEvent, recordEvents, registryOf, rejection } from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { describeWithRedis, realRedis } from '../support/redis-server.js';
import { runInNode } from '../support/run-in-node.js';
import { CANARY, KINDS, type Given, type Kind, type Service } from './kinds.js';

const TOKEN = getClientToken('main');
/** Milliseconds that destroying by force may take, and a little more for a busy machine. */
const FORCE = 2_100;

/** What each kind loads and opens when its declaration is evaluated, by its name. */
let declared: Promise<Readonly<Record<string, { loaded: string[]; opened: string[] }>>>;
const services = new Map<Kind, Promise<Service>>();

// All at once: clusters need seconds, in which the kinds before them are tested.
beforeAll(() => {
  declared = declareInProcessOfItsOwn();
  declared.catch(() => {});
  for (const kind of KINDS) {
    if (kind.needsRedis && !realRedis.installed) continue;
    const service = kind.start();
    service.catch(() => {}); // the tests of the kind tell
    services.set(kind, service);
  }
});
afterAll(async () => {
  await Promise.all([...services.values()].map(async (service) => (await service)[Symbol.asyncDispose]()));
});

describe.each(KINDS)('the kind $name', (kind) => {
  const describeKind = kind.needsRedis ? describeWithRedis : describe;
  describeKind('keeps the promise that', () => testKind(kind));
});

function testKind(kind: Kind): void {
  let service: Service;
  beforeAll(async () => {
    service = (await services.get(kind)) as Service;
  });
  // No test leaves a connection behind. The server sees a moment later that they are gone.
  beforeEach(() => connectionsBecome(0));
  afterAll(() => connectionsBecome(0));

  async function connectionsBecome(count: number): Promise<void> {
    const look = async (): Promise<void> => expect(await service.connections()).toBe(count);
    await vi.waitFor(look, { interval: 10, timeout: 5_000 }); // also in hooks, where there is no expect.poll
  }

  /** An application with the client, which is not built. */
  async function boot(given: Given & { logger?: RecordingLogger; root?: ModuleMetadata } = {}) {
    const { logger, root = {}, ...rest } = given;
    const clients = service.declare(rest);
    const imports = [...(root.imports ?? []), clientsOf(clients)];
    const app = await bootApp({ ...root, imports }, logger && { logger });
    if (logger) onTestFinished(() => app.useLogger(false));
    const registry = registryOf(app);
    const events = recordEvents(registry);
    /** What has happened to a client, without what has happened to the client of one key. */
    const typesOf = (client: string) =>
      events.flatMap((event) => (event.client === client && !event.key ? [event.type] : []));
    return { app, clients, registry, events, typesOf };
  }

  /** The same with the client built and connected. */
  async function bootConnected(given: Parameters<typeof boot>[0] = {}) {
    const booted = await boot(given);
    const client = await booted.registry.get('main');
    await service.roundTrip(client);
    const status = () => booted.registry.status().find(({ name }) => name === 'main');
    if (kind.isWatched && status()?.connection !== 'connected') await nextEvent(booted.registry, 'connected', 'main');
    expect(await service.connections()).toBeGreaterThan(0);
    return { ...booted, client, status };
  }

  /** Uses the client again and again, for some notice only then that their server is gone, until that is so. */
  async function usingUntil(client: unknown, reached: () => boolean | Promise<boolean>): Promise<void> {
    const attempts: Promise<unknown>[] = [];
    await expect
      .poll(
        async () => {
          if (await reached()) return true;
          attempts.push(service.roundTrip(client).catch(() => {}));
          return false;
        },
        { interval: 20, timeout: 10_000 },
      )
      .toBe(true);
  }

  async function canUse(client: unknown): Promise<boolean> {
    const [outcome] = await Promise.allSettled([service.roundTrip(client)]);
    return outcome.status === 'fulfilled';
  }

  async function cut(): Promise<void> {
    onTestFinished(() => service.mend());
    await service.cut();
  }

  function freeze(): void {
    onTestFinished(() => service.thaw());
    service.freeze();
  }

  it('1: forRoot() loads no SDK, opens no socket and starts no timer', async () => {
    expect((await declared)[kind.name]).toEqual({ loaded: [], opened: [] });
  });

  it('2: what nobody injects is never built, not by bootstrap, a health check or shutdown', async () => {
    const { app, registry, events } = await boot();
    expect(registry.status().at(-1)).toMatchObject({ name: 'main', kind: kind.kind, state: 'idle' });
    expect(await registry.check('main')).toMatchObject({ status: 'idle' });
    await app.close();
    expect(events).toEqual([]);
    expect(await service.connections()).toBe(0);
  });

  it('3: 1,000 concurrent first injections make one client', async () => {
    const { app, registry, typesOf } = await boot();
    const injected = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => (index % 2 ? app.resolve(TOKEN) : registry.get('main'))),
    );
    expect(new Set(injected).size).toBe(1);
    expect(typesOf('main').filter((type) => type === 'creating')).toHaveLength(1);
  });

  it('4: what is injected is the SDK’s own object', async () => {
    const { app } = await boot();
    const client: unknown = await app.resolve(TOKEN);
    expect(kind.isOfSdk(client)).toBe(true);
    expect(types.isProxy(client)).toBe(false);
  });

  it('5: a failed build leaves nothing open and is not cached', async () => {
    let isRefused = true;
    const check = async (client: unknown): Promise<void> => {
      await service.roundTrip(client);
      if (isRefused) throw new Error('not yet');
    };
    const lifecycle = { connect: 'build', waitUntilReady: true, createTimeout: 1_500 } as const;
    const { registry, clients, events } = await boot({ lifecycle, check });
    const use = async (): Promise<unknown> => service.roundTrip(await registry.get('main'));
    const [first, second] = await Promise.all([rejection(use()), rejection(use())]);
    expect(first).toBe(second);
    expect(first).toMatchObject({ code: 'CLIENTS_CREATE_TIMEOUT', client: 'main' });
    expect(first.message).toContain('not yet');
    // What it is built on has been built, and stays.
    if (Object.keys(clients).length === 1) await connectionsBecome(0);
    isRefused = false;
    await use();
    expect(events.map(({ type }) => type).filter((type) => type === 'createFailed')).toHaveLength(1);
  });

  it('6: no connection opens before bootstrap has succeeded, and then it opens as its kind does', async () => {
    const before = deferred<number>();
    const probe = {
      provide: 'PROBE',
      inject: [TOKEN],
      useFactory: (client: unknown) => ({
        client,
        async onApplicationBootstrap() {
          before.resolve(await service.connections());
        },
      }),
    };
    const { app } = await boot({ root: { providers: [probe] } });
    expect(await before.promise).toBe(0);
    if (kind.connects === 'with the first command') {
      await turns();
      expect(await service.connections()).toBe(0);
      await service.roundTrip(app.get<{ client: unknown }>('PROBE').client);
    }
    await expect.poll(() => service.connections(), { interval: 10, timeout: 5_000 }).toBeGreaterThan(0);
  });

  it('6: a bootstrap that fails leaves no connection', async () => {
    const failing = {
      provide: 'FAILING',
      inject: [TOKEN],
      useFactory: () => ({ onApplicationBootstrap: () => Promise.reject(new Error('no')) }),
    };
    expect((await rejection(boot({ root: { providers: [failing] } }))).message).toBe('no');
    await turns();
    expect(await service.connections()).toBe(0);
  });

  it('6: a module that is compiled and never closed leaves no socket and no timer, and the first command connects', async () => {
    await turns();
    const handles = openHandles();
    const compiled = await Test.createTestingModule({ imports: [clientsOf(service.declare())] }).compile();
    onTestFinished(() => compiled.close());
    const client: unknown = await compiled.resolve(TOKEN);
    await turns();
    expect(await closedBy(performance.now(), handles)).toEqual([]);
    expect(await service.connections()).toBe(0);
    await service.roundTrip(client);
    expect(await service.connections()).toBeGreaterThan(0);
  });

  it('7: it closes after other modules’ hooks and after what is built on it, and before what it is built on', async () => {
    const order: string[] = [];
    const neighbour = moduleOf({
      providers: [
        {
          provide: 'NEIGHBOUR',
          inject: [TOKEN],
          useFactory: (client: unknown) => ({
            async onApplicationShutdown() {
              await service.roundTrip(client);
              order.push('hook');
            },
          }),
        },
      ],
    });
    const dependent = defineClient(
      {
        inject: [TOKEN],
        create: (client: unknown) => ({ client }),
        close: async ({ client }) => void (await service.roundTrip(client)),
      },
      { eager: true },
    );
    const { app, registry, clients } = await bootConnected({
      root: { imports: [clientsOf({ dependent }), neighbour] },
    });
    registry.events$.subscribe(({ type, client, key }) => {
      if (!key && (type === 'closed' || type === 'closeFailed')) order.push(`${client} ${type}`);
    });
    await app.close();
    const bases = Object.keys(clients).filter((name) => name !== 'main');
    expect(order).toEqual(['hook', 'dependent closed', 'main closed', ...bases.map((name) => `${name} closed`)]);
    await connectionsBecome(0);
  });

  it('7: commands in flight are answered first', async () => {
    const { app, client, typesOf } = await bootConnected();
    const answers = Promise.allSettled(Array.from({ length: 20 }, () => service.roundTrip(client)));
    await app.close();
    expect((await answers).filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(typesOf('main').at(-1)).toBe('closed');
  });

  it('8: with a frozen server it ends within its deadline, and every command settles', async () => {
    const closeTimeout = 300;
    const { app, client, clients, registry, typesOf } = await bootConnected({ lifecycle: { closeTimeout } });
    freeze();
    const pending = rejection(service.roundTrip(client));
    const startedAt = performance.now();
    const [error] = await Promise.all([rejection(registry.close()), app.close(), app.close()]);
    expect(performance.now() - startedAt).toBeLessThan(Object.keys(clients).length * closeTimeout + FORCE);
    expect(error).toMatchObject({ code: 'CLIENTS_CLOSE_FAILED' });
    expect(await pending).toBeInstanceOf(Error);
    expect(typesOf('main').filter((type) => type.startsWith('close'))).toEqual(['closeFailed']);
    service.thaw();
    await connectionsBecome(0);
  });

  it('9: after shutdown it is refused at once, and the client of whoever still holds it opens nothing', async () => {
    const { app, registry, client, typesOf } = await bootConnected();
    await app.close();
    expect(await rejection(registry.get('main'))).toMatchObject({ code: 'CLIENTS_CLOSED', client: 'main' });
    expect(await rejection(app.resolve(TOKEN))).toMatchObject({ code: 'CLIENTS_CLOSED' });
    expect(await rejection(service.roundTrip(client))).toBeInstanceOf(Error);
    expect(await registry.check('main')).toMatchObject({ status: 'down' });
    expect(registry.status().at(-1)).toMatchObject({ state: 'closed' });
    expect(typesOf('main').filter((type) => type === 'creating')).toHaveLength(1);
    await connectionsBecome(0);
  });

  it('10: a server that is gone crashes nothing and does not flood the log', async () => {
    const logger = new RecordingLogger();
    const { client, events } = await bootConnected({ logger });
    await cut();
    const errors = () => events.filter(({ type }) => type === 'error').length;
    // A command that is written to a connection just lost may wait for the next one, so that its end is not awaited.
    const isReporting = kind.isWatched || events.some(({ key }) => key !== undefined);
    if (isReporting) await usingUntil(client, () => errors() >= 10);
    else for (let count = 0; count < 10; count += 1) await rejection(service.roundTrip(client));
    const reported = logger.ownLines.filter((line) => /^(warn|error): /.test(line));
    expect(reported.length).toBeLessThanOrEqual(4); // a line each for the loss and its error, of it and of its base
    await service.mend();
    await usingUntil(client, () => canUse(client));
  });

  it.each([
    ['right', CANARY],
    ['wrong', `${CANARY}-wrong`],
  ])('11: a %s credential is in no log line, error, event, status or health answer', async (_, password) => {
    const logger = new RecordingLogger();
    const { app, registry, events } = await boot({ logger, password, lifecycle: { closeTimeout: 300 } });
    const seen: unknown[] = [];
    const look = async (): Promise<void> => void seen.push(await registry.check('main'), registry.status());
    const client = await registry.get('main');
    const held = service.hold?.(client);
    held?.catch(() => {});
    // Some clients try for ever to log in.
    const asked = service.roundTrip(client).catch(() => {});
    if (password === CANARY) await asked;
    await look();
    await cut();
    if (kind.isWatched) await usingUntil(client, () => events.some(({ type }) => type === 'error'));
    await look();
    freeze();
    await look();
    service.thaw();
    await service.mend();
    await (await held?.catch(() => {}))?.release();
    await app.close();
    seen.push(await registry.close().catch((error: unknown) => error), await rejection(registry.get('main')));
    await look();
    const text = textOf([...seen, ...events, logger.lines]);
    for (const secret of [CANARY, Buffer.from(`app:${password}`).toString('base64')])
      expect(text).not.toContain(secret);
  });

  it('12: it stays open while work uses it, also when shutdown has begun', async () => {
    const { registry, client, typesOf } = await bootConnected();
    const begun = deferred();
    const working = registry.use(async () => {
      await begun.promise;
      await service.roundTrip(client);
      expect(typesOf('main')).not.toContain('closing');
    });
    const closed = registry.close();
    expect(await rejection(registry.use(() => {}))).toMatchObject({ code: 'CLIENTS_CLOSED' });
    begun.resolve();
    await working;
    await closed;
    expect(typesOf('main').slice(-2)).toEqual(['closing', 'closed']);
  });

  if (kind.isWatched)
    it('13: a connection that is lost and regained is published, once each', async () => {
      const { client, status, typesOf, events } = await bootConnected();
      const told = () => typesOf('main').filter((type) => type === 'connected' || type === 'disconnected');
      expect(status()).toMatchObject({ connection: 'connected' });
      const { connectedAt } = status() ?? {};
      await cut();
      await usingUntil(client, () => told().includes('disconnected'));
      expect(status()).toMatchObject({ connection: 'disconnected' });
      await service.mend();
      await usingUntil(client, () => told().at(-1) === 'connected');
      expect(status()).toMatchObject({ connection: 'connected' });
      expect(Number(status()?.connectedAt)).toBeGreaterThan(Number(connectedAt));
      expect(told().slice(-3)).toEqual(['connected', 'disconnected', 'connected'].slice(-told().length));
      expect(events.at(-1)).toMatchObject({ duration: expect.any(Number) as unknown });
    });

  it('14: health is up, down with the reason while the server is gone, and up again', async () => {
    const { registry, client } = await bootConnected({
      // A kind without a check counts as up while it is open.
      ...(!kind.isChecked && { check: (used) => service.roundTrip(used) }),
    });
    const held = await service.hold?.(client);
    const isUp = async () => (await registry.check('main')).status === 'up';
    expect(await registry.check('main')).toMatchObject({ status: 'up', name: 'main', kind: kind.kind });
    await cut();
    await usingUntil(client, async () => !(await isUp()));
    // A look that had begun when the connection was lost is over with it, too.
    const { status, error } = await registry.check('main');
    expect(status).toBe('down');
    expect(error?.message).toMatch(/^(?!.*no answer within)./);
    await service.mend();
    await usingUntil(client, isUp);
    await held?.release();
  });

  it('14: with a frozen server health is down within its timeout', async () => {
    const { registry, client } = await bootConnected({
      ...(!kind.isChecked && { check: (used) => service.roundTrip(used) }),
    });
    const held = await service.hold?.(client);
    freeze();
    const startedAt = performance.now();
    expect(await registry.check('main', { timeout: 100 })).toMatchObject({ status: 'down' });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    service.thaw();
    await held?.release();
  });

  it('15: 50 checks of a frozen server do not hold up its closing', async () => {
    const { app, registry, client, typesOf } = await bootConnected({ lifecycle: { closeTimeout: 3_000 } });
    const held = await service.hold?.(client);
    freeze();
    await Promise.all(Array.from({ length: 50 }, () => registry.check('main', { timeout: 50 })));
    await held?.release();
    const startedAt = performance.now();
    await app.close();
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(typesOf('main').at(-1)).toBe('closed');
    service.thaw();
    await connectionsBecome(0);
  });

  it('15: checks that hang do not pile up, and hold up nothing', async () => {
    let calls = 0;
    const check = (): Promise<never> => {
      calls += 1;
      return new Promise(() => {});
    };
    const { app, registry, client, typesOf } = await bootConnected({ check, lifecycle: { closeTimeout: 3_000 } });
    const held = await service.hold?.(client);
    const answers = await Promise.all(Array.from({ length: 50 }, () => registry.check('main', { timeout: 50 })));
    answers.push(await registry.check('main', { timeout: 50 }));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['down']));
    expect(calls).toBe(1);
    await held?.release();
    const startedAt = performance.now();
    await app.close();
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(typesOf('main').at(-1)).toBe('closed');
  });

  it('a check beside the lifecycle options replaces its own', async () => {
    let problem: Error | undefined = new Error('asked another way');
    const check = (): void => {
      if (problem) throw problem;
    };
    const { registry, client } = await bootConnected({ check });
    const held = await service.hold?.(client);
    const { status, error } = await registry.check('main');
    expect(status).toBe('down');
    expect(error?.message).toContain('asked another way');
    problem = undefined;
    expect(await registry.check('main')).toMatchObject({ status: 'up' });
    await held?.release();
  });

  it('owned: false leaves it open at shutdown', async () => {
    const { app, registry, client, clients, typesOf } = await bootConnected({ lifecycle: { owned: false } });
    const owned = Object.entries(clients).map(
      ([name, { blueprint }]) => [registry.peek(name), blueprint.driver] as const,
    );
    await app.close();
    await service.roundTrip(client);
    expect(typesOf('main')).not.toContain('closing');
    for (const [one, driver] of owned) await (service.end ? service.end(one) : driver.destroy?.(one));
  });

  it('scope: ‘process’ makes it one client for two applications, which closes with the last', async () => {
    const clients = service.declare({ lifecycle: { scope: 'process' } });
    const [one, two] = await Promise.all([
      bootApp({ imports: [clientsOf(clients)] }),
      bootApp({ imports: [clientsOf(clients)] }),
    ]);
    const client = await registryOf(one).get('main');
    expect(await registryOf(two).get('main')).toBe(client);
    await service.roundTrip(client);
    await one.close();
    await service.roundTrip(client);
    await two.close();
    await connectionsBecome(0);
  });

  if (kind.ways.includes('useFactory'))
    it('its options may come from a factory of its own', async () => {
      const { client } = await bootConnected({ way: 'useFactory' });
      expect(kind.isOfSdk(client)).toBe(true);
    });

  if (kind.ways.includes('forRootAsync'))
    it('its options may come from forRootAsync', async () => {
      const clients = service.declare({ way: 'forRootAsync' });
      const supplying: DynamicModule = ClientsModule.forRootAsync({
        clients,
        useFactory: () => ({ main: service.options }),
      });
      const app = await bootApp({ imports: [supplying] });
      const client = await registryOf(app).get('main');
      expect(kind.isOfSdk(client)).toBe(true);
      await service.roundTrip(client);
      await app.close();
      await connectionsBecome(0);
    });
}

/** Lets connections that somebody is opening get as far as the server. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
}

/** Values in every form in which somebody may come to see them. */
function textOf(values: readonly unknown[]): string {
  return values
    .flatMap((value) => {
      const error = (value as { error?: unknown } | undefined)?.error ?? value;
      const { message, stack } = (error ?? {}) as Partial<Error>;
      return [inspect(value, { depth: 10, showHidden: true }), JSON.stringify(value), message, stack];
    })
    .join('\n');
}

/** Evaluates `forRoot` with each declaration, one after the other, in a process where nothing else is loaded. */
async function declareInProcessOfItsOwn(): Promise<Record<string, { loaded: string[]; opened: string[] }>> {
  const rows = KINDS.map(({ name, from, declaration }) => ({ name, from, declaration }));
  const { output, errors } = await runInNode(`
    import 'reflect-metadata';
    import { createRequire } from 'node:module';
    import net from 'node:net';
    let sockets = 0;
    const { connect } = net.Socket.prototype;
    net.Socket.prototype.connect = function (...args) { sockets += 1; return connect.apply(this, args); };
    const { ClientsModule } = await import('./src/index.js');
    const redis = await import('./src/redis/index.js');
    const rows = ${JSON.stringify(rows)};
    const result = {};
    for (const { name, from, declaration } of rows) {
      const exported = await import('./src/' + from + '.js');
      const declare = new Function('redis', ...Object.keys(exported), 'return ' + declaration);
      const definition = declare(redis, ...Object.values(exported));
      ClientsModule.forRoot({ clients: { main: definition } });
      await new Promise((resolve) => setImmediate(resolve));
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      if (loaded.length === 0) throw new Error('not even Nest is seen to be loaded');
      result[name] = {
        loaded: loaded.filter((file) => /node_modules.(ioredis|redis|@redis|@aws-sdk|@smithy)/.test(file)),
        opened: [
          ...process.getActiveResourcesInfo().filter((resource) => /Timeout|TCP|TLS/.test(resource)),
          ...Array(sockets).fill('socket'),
        ],
      };
    }
    console.log(JSON.stringify(result));
  `);
  expect(errors).toBe('');
  return JSON.parse(output) as Record<string, { loaded: string[]; opened: string[] }>;
}
