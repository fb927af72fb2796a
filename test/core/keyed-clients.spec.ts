import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';
import { forwardRef } from '@nestjs/common';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  defineClient,
  getClientToken,
  keyedClients,
  type ClientLifecycle,
  type KeyedClients,
  type KeyedClientsSource,
} from '../../src/index.js';
import { redisClient } from '../../src/redis/index.js';
import {
  bootApp,
  clientsOf,
  moduleOf,
  nextEvent,
  recordEvents,
  registryOf,
  rejection,
  thrown,
  turn,
} from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';
import { FakeClient, Journal } from '../support/journal.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { titled } from '../support/titled.js';

type Tenants = KeyedClients<FakeClient>;
type Source = Partial<KeyedClientsSource<FakeClient>>;

async function bootTenants(
  journal: Journal,
  source: Source = {},
  lifecycle?: ClientLifecycle,
  options: { shutdownTimeout?: number } = {},
) {
  const tenants = keyedClients<FakeClient>({ define: (key) => journal.client(key), ...source }, lifecycle);
  const logger = new RecordingLogger();
  const app = await bootApp({ imports: [clientsOf({ tenants }, options)] }, { logger });
  onTestFinished(() => app.useLogger(false));
  const registry = registryOf(app);
  return { app, registry, logger, tenants: (await registry.get('tenants')) as Tenants };
}

const idle = () => {};

describe('use', () => {
  it('builds one client for each key under 1,000 concurrent first uses', async () => {
    const journal = new Journal();
    const { tenants } = await bootTenants(journal);
    const keys = Array.from({ length: 1_000 }, (_, index) => `k${index % 4}`);
    const clients = await Promise.all(keys.map((key) => tenants.use(key, (client) => client)));
    expect(journal.built).toHaveLength(4);
    expect(new Set(clients).size).toBe(4);
    expect(tenants.keys()).toEqual(['k0', 'k1', 'k2', 'k3']);
  });

  it('passes the client itself to the work, and settles as the work does', async () => {
    const journal = new Journal();
    const { tenants } = await bootTenants(journal);
    expect(await tenants.use('a', (client) => client.greet())).toBe('hello from a');
    expect((await rejection(tenants.use('a', () => Promise.reject(new Error('no luck'))))).message).toBe('no luck');
    expect(journal.built[0]).toBeInstanceOf(FakeClient);
  });

  it('builds different keys at the same time', async () => {
    const gates = { a: deferred<FakeClient>(), b: deferred<FakeClient>() };
    const { tenants } = await bootTenants(new Journal(), {
      define: (key) => defineClient({ create: () => gates[key as 'a'].promise }),
    });
    const [a, b] = [tenants.use('a', (client) => client), tenants.use('b', (client) => client)];
    gates.b.resolve(new FakeClient('b'));
    expect((await b).clientName).toBe('b');
    gates.a.resolve(new FakeClient('a'));
    expect((await a).clientName).toBe('a');
  });

  it('builds again after a build that has failed', async () => {
    const journal = new Journal();
    let attempts = 0;
    const { tenants } = await bootTenants(journal, {
      define: (key) => {
        attempts += 1;
        if (attempts === 1) throw new Error('unknown tenant');
        if (attempts === 2) return defineClient<FakeClient>({ create: () => Promise.reject(new Error('no licence')) });
        return journal.client(key);
      },
    });
    const asked = [tenants.use('a', idle), tenants.use('a', idle)].map(rejection);
    for (const error of await Promise.all(asked)) expect(error.message).toContain('unknown tenant');
    expect(tenants.keys()).toEqual([]);
    const error = await rejection(tenants.use('a', idle));
    expect(error).toMatchObject({ code: 'CLIENTS_CREATE_FAILED', client: 'tenants', key: 'a' });
    expect(error.message).toBe('Client "tenants" (key "a") could not be created: no licence');
    expect(await tenants.use('a', (client) => client.clientName)).toBe('a');
  });

  it('looks the key up in what it injects, and closes before what its clients are built on', async () => {
    const journal = new Journal();
    const base = journal.client('base');
    const directory = journal.client('directory');
    const tenants = keyedClients<FakeClient>({
      inject: [getClientToken('directory')],
      define: async (key, found: FakeClient) =>
        journal.client(`${key} of ${found.clientName}`, { inject: [getClientToken('base')] }),
    });
    const app = await bootApp({ imports: [clientsOf({ base, directory, tenants })] });
    const keyed = (await registryOf(app).get('tenants')) as Tenants;
    expect(await keyed.use('a', (client) => client.clientName)).toBe('a of directory');
    await app.close();
    const closed = journal.of('close');
    expect(closed[0]).toBe('close a of directory');
    expect(closed.toSorted()).toEqual(['close a of directory', 'close base', 'close directory']);
  });

  it.each([
    { key: '__proto__', description: '__proto__' },
    { key: 'constructor', description: 'constructor' },
    { key: '', description: 'empty' },
    { key: ' ', description: 'a space' },
    { key: 'x'.repeat(1_000_000), description: '1 MB long' },
  ])('takes any key as it is: $description', async ({ key }) => {
    const journal = new Journal();
    const { tenants } = await bootTenants(journal, { define: () => journal.client('any') });
    await tenants.use(key, idle);
    await tenants.use(`${key}.`, idle);
    expect(tenants.keys()).toEqual([key, `${key}.`]);
    expect(journal.built).toHaveLength(2);
  });

  it.each([undefined, null, 7, {}, Symbol('key')])('refuses a key that is not a string: $0', async (key) => {
    const { tenants } = await bootTenants(new Journal());
    const error = await rejection(tenants.use(key as never, idle));
    expect(error).toMatchObject({ code: 'CLIENTS_INVALID_OPTIONS' });
    expect(error.message).toContain('must be a string');
  });

  it.each([
    ['nothing', () => undefined, 'CLIENTS_INVALID_OPTIONS', /not a client definition/],
    ['wrong options', () => redisClient('nonsense'), 'CLIENTS_INVALID_OPTIONS', /key "a"/],
    [
      'a client of the process',
      () => defineClient({ create: () => ({}) }, { scope: 'process' }),
      'CLIENTS_INVALID_OPTIONS',
      /scope/,
    ],
    [
      'a lifecycle that cannot work',
      () => defineClient({ create: () => ({}) }, { closeTimeout: -1 }),
      'CLIENTS_INVALID_OPTIONS',
      /closeTimeout/,
    ],
  ])('says what is wrong when define() returns %s', async (_, define, code, message) => {
    const { tenants } = await bootTenants(new Journal(), { define: define as never });
    const error = await rejection(tenants.use('a', idle));
    expect(error).toMatchObject({ code, key: 'a' });
    expect(error.message).toMatch(message);
    expect(error.message).toContain('Client "tenants" (key "a")');
  });

  it('injects optional dependencies and forward references into define(), as into create()', async () => {
    class Names {
      readonly suffix = '!';
    }
    const tenants = keyedClients({
      inject: [{ token: 'MISSING', optional: true }, forwardRef(() => Names)],
      define: (key, missing, names: Names) =>
        defineClient({ create: () => new FakeClient(`${key}${names.suffix}${String(missing)}`) }),
    });
    const names = moduleOf({ providers: [Names], exports: [Names] });
    const app = await bootApp({ imports: [clientsOf({ tenants }, { imports: [names] })] });
    const pool = (await registryOf(app).get('tenants')) as Tenants;
    expect(await pool.use('a', ({ clientName }) => clientName)).toBe('a!undefined');
  });

  it('gives up on a define() that never returns', async () => {
    const { tenants } = await bootTenants(
      new Journal(),
      { define: () => new Promise(() => {}) },
      { createTimeout: 20 },
    );
    expect(await rejection(tenants.use('a', idle))).toMatchObject({ code: 'CLIENTS_CREATE_TIMEOUT', key: 'a' });
    expect(tenants.keys()).toEqual([]);
  });
});

describe('lease', () => {
  it('holds the client until it is released; releasing twice is once', async () => {
    const journal = new Journal();
    const { tenants } = await bootTenants(journal, { idleTimeout: 0 });
    const [one, two] = [await tenants.lease('a'), await tenants.lease('a')];
    expect(one.client).toBe(two.client);
    await Promise.all([one.release(), one.release(), one.release()]);
    await turn();
    expect(journal.of('close')).toEqual([]);
    await two.release();
    await vi.waitFor(() => expect(journal.of('close')).toEqual(['close a']));
  });

  it('is released by await using', async () => {
    const journal = new Journal();
    const { tenants } = await bootTenants(journal);
    const lease = await tenants.lease('a');
    await lease[Symbol.asyncDispose]();
    await tenants.evict('a');
    expect(journal.of('close')).toEqual(['close a']);
  });
});

describe('evict', () => {
  it('closes a client that nobody uses, and resolves when it has closed', async () => {
    const journal = new Journal();
    const { tenants } = await bootTenants(journal);
    await tenants.use('a', idle);
    await tenants.evict('a');
    expect(journal.of('close')).toEqual(['close a']);
    await tenants.evict('never there');
  });

  it('builds anew for the next use, while the old client serves its users until the last lets go', async () => {
    const journal = new Journal();
    const { tenants } = await bootTenants(journal);
    const old = await tenants.lease('a');
    await tenants.evict('a');
    const next = await tenants.lease('a');
    expect(next.client).not.toBe(old.client);
    expect(journal.of('close')).toEqual([]);
    await old.release();
    expect(journal.of('close')).toHaveLength(1);
    expect(tenants.keys()).toEqual(['a']);
    await old.release(); // by identity: not the new one
    expect(await tenants.use('a', (client) => client)).toBe(next.client);
    expect(journal.of('close')).toHaveLength(1);
    await next.release();
  });

  it('may be called while the client is used by the caller', async () => {
    const journal = new Journal();
    const { tenants } = await bootTenants(journal);
    await tenants.use('a', () => tenants.evict('a'));
    await vi.waitFor(() => expect(journal.of('close')).toEqual(['close a']));
  });
});

describe('idle clients', () => {
  it('close after idleTimeout, the oldest first, on one timer', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const journal = new Journal();
    const { tenants } = await bootTenants(journal, { idleTimeout: 1_000 });
    await tenants.use('a', idle);
    const timers = vi.getTimerCount();
    await vi.advanceTimersByTimeAsync(600);
    await tenants.use('b', idle);
    expect(vi.getTimerCount()).toBe(timers);
    await vi.advanceTimersByTimeAsync(500);
    expect(journal.of('close')).toEqual(['close a']);
    await tenants.use('b', idle); // begins anew
    await vi.advanceTimersByTimeAsync(900);
    expect(journal.of('close')).toEqual(['close a']);
    await vi.advanceTimersByTimeAsync(200);
    expect(journal.of('close')).toEqual(['close a', 'close b']);
    expect(tenants.keys()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('close outside of the request that used or replaced them', async () => {
    const requests = new AsyncLocalStorage<string>();
    const stores: unknown[] = [];
    const journal = new Journal();
    const { registry, tenants } = await bootTenants(journal, {
      define: (key) => journal.client(key, { close: () => void stores.push(requests.getStore()) }),
      idleTimeout: 20,
      max: 1,
    });
    await requests.run('first', () => tenants.use('a', idle));
    await requests.run('second', () => tenants.use('b', idle));
    await nextEvent(registry, 'closed');
    await requests.run('third', () => tenants.use('c', idle));
    await requests.run('fourth', () => tenants.evict('c'));
    expect(stores).toEqual([undefined, undefined, undefined]);
  });

  it('stay open while somebody uses them, however long', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const journal = new Journal();
    const { tenants } = await bootTenants(journal, { idleTimeout: 1_000 });
    const lease = await tenants.lease('a');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(journal.of('close')).toEqual([]);
    await lease.release();
  });
});

describe('max', () => {
  it('closes the client that has been idle for longest before the next key is built', async () => {
    const journal = new Journal();
    const { tenants } = await bootTenants(journal, { max: 2 });
    for (const key of ['a', 'b', 'a', 'c']) await tenants.use(key, idle);
    expect(journal.entries).toEqual([
      'create a',
      'connect a',
      'create b',
      'connect b',
      'close b',
      'create c',
      'connect c',
    ]);
    expect(tenants.keys()).toEqual(['a', 'c']);
  });

  it('refuses another key at once when all are in use', async () => {
    const { tenants } = await bootTenants(new Journal(), { max: 2 });
    const leases = [await tenants.lease('a'), await tenants.lease('b')];
    const error = await rejection(tenants.use('c', idle));
    expect(error).toMatchObject({
      code: 'CLIENTS_EXHAUSTED',
      client: 'tenants',
      key: 'c',
      name: 'ClientsExhaustedError',
    });
    expect(error.message).toContain('all 2 are in use');
    expect(await tenants.use('a', (client) => client.clientName)).toBe('a');
    await leases[0]?.release();
    expect(await tenants.use('c', (client) => client.clientName)).toBe('c');
    await leases[1]?.release();
  });

  it('is never passed, though clients close slowly and builds fail', async () => {
    let open = 0;
    let most = 0;
    const { tenants } = await bootTenants(new Journal(), {
      max: 3,
      define: (key) =>
        defineClient({
          create: async () => {
            most = Math.max(most, ++open);
            await turn();
            if (key.endsWith('7')) {
              open -= 1;
              throw new Error('no luck');
            }
            return new FakeClient(key);
          },
          close: async () => {
            await turn();
            open -= 1;
          },
        }),
    });
    const use = (index: number) =>
      tenants.use(`k${index}`, () => turn()).catch((error: { code: string }) => error.code);
    for (let round = 0; round < 40; round += 1) {
      await Promise.all([use(round), use(round + 1), use(round + 2), use(round * 7)]);
    }
    expect(most).toBeLessThanOrEqual(3);
    await tenants.use('last', idle);
  });
});

describe('shutdown', () => {
  it('lets running work end on open clients, builds no new key, and closes all in parallel', async () => {
    const journal = new Journal();
    const { app, tenants } = await bootTenants(journal);
    const gate = deferred();
    await tenants.use('unused', idle);
    const work = tenants.use('a', async (client) => {
      await gate.promise;
      journal.write(`worked ${client.clientName}`);
    });
    await turn();
    const closed = app.close();
    await turn();
    await turn();
    expect(await rejection(tenants.use('new', idle))).toMatchObject({ code: 'CLIENTS_CLOSED', key: 'new' });
    expect(journal.of('close')).toEqual(['close unused']);
    gate.resolve();
    await work;
    await closed;
    expect(journal.entries.slice(-2)).toEqual(['worked a', 'close a']);
    const late = await rejection(tenants.use('a', idle));
    expect(late).toMatchObject({ code: 'CLIENTS_CLOSED', key: 'a' });
    expect(late.message).toMatch(/\(key "a"\) has closed.*jobs and pollers/);
    expect(journal.built).toHaveLength(2);
  });

  it('closes what is in use when the time for it is up', async () => {
    const journal = new Journal();
    const { app, tenants } = await bootTenants(journal, {}, { closeTimeout: 30 });
    await tenants.lease('a');
    await app.close();
    expect(journal.of('close')).toEqual(['close a']);
  });

  it('cuts short what was closing already when the time for everything is up', async () => {
    const journal = new Journal();
    const { app, tenants } = await bootTenants(
      journal,
      { define: (key) => journal.client(key, { close: () => new Promise(() => {}) }, { closeTimeout: 20_000 }) },
      {},
      { shutdownTimeout: 100 },
    );
    await tenants.use('a', idle);
    void tenants.evict('a');
    const startedAt = performance.now();
    await app.close();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(journal.of('destroy')).toEqual(['destroy a']);
  });

  it('cuts short the work on keyed clients inside of evicted ones', async () => {
    const journal = new Journal();
    const inner = (key: string) => keyedClients<FakeClient>({ define: (name) => journal.client(`${key}.${name}`) });
    const outer = keyedClients<Tenants>({ define: inner });
    const app = await bootApp({ imports: [clientsOf({ outer }, { shutdownTimeout: 100 })] });
    const regions = (await registryOf(app).get('outer')) as KeyedClients<Tenants>;
    await regions.use('eu', (tenants) => tenants.lease('acme'));
    void regions.evict('eu');
    const startedAt = performance.now();
    await app.close();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(journal.of('close')).toEqual(['close eu.acme']);
  });

  it('closes clients that are built on their own keyed clients, after the work that uses them', async () => {
    const journal = new Journal();
    const tenants = keyedClients<FakeClient>({
      define: (key) => journal.client(key, { inject: [getClientToken(key === 'own' ? 'tenants' : 'main')] }),
    });
    const main = journal.client('main', { inject: [getClientToken('tenants')] });
    const app = await bootApp({ imports: [clientsOf({ main, tenants })] });
    const registry = registryOf(app);
    const pool = (await registry.get('tenants')) as Tenants;
    await pool.use('through main', idle);
    const gate = deferred();
    const work = pool.use('own', async () => {
      await gate.promise;
      journal.write('worked');
    });
    await turn();
    const closed = app.close();
    await turn();
    gate.resolve();
    await Promise.all([work, closed]);
    expect(journal.of('close').toSorted()).toEqual(['close main', 'close own', 'close through main']);
    expect(journal.entries.indexOf('close own')).toBeGreaterThan(journal.entries.indexOf('worked'));
    expect(registry.status().map(({ state }) => state)).toEqual(['closed', 'closed']);
  });

  it('closes two keyed clients that are built on each other', async () => {
    const journal = new Journal();
    const on = (name: string, other: string) =>
      keyedClients<FakeClient>({
        define: (key) => journal.client(`${name}.${key}`, { inject: [getClientToken(other)] }),
      });
    const app = await bootApp({ imports: [clientsOf({ left: on('left', 'right'), right: on('right', 'left') })] });
    for (const name of ['left', 'right', 'left']) {
      const pool = (await registryOf(app).get(name)) as Tenants;
      await pool.use('a', idle);
      await pool.use('b', idle);
    }
    await app.close();
    expect(journal.of('close')).toHaveLength(4);
  });

  it('names the keys that did not close gracefully', async () => {
    const { registry, tenants } = await bootTenants(new Journal(), {
      define: (key) =>
        defineClient({ create: () => new FakeClient(key), close: () => Promise.reject(new Error('no end')) }),
    });
    await tenants.use('a', idle);
    const error = await rejection(registry.close());
    expect(error).toMatchObject({ code: 'CLIENTS_CLOSE_FAILED', clients: ['tenants'] });
    expect(error.message).toContain('"a": close() failed: no end');
  });
});

describe("scope 'process'", () => {
  it('builds new keys for the applications that go on when the one that has built the first has closed', async () => {
    const journal = new Journal();
    const base = journal.client('base', {}, { scope: 'process' });
    const tenants = keyedClients<FakeClient>(
      { define: (key) => journal.client(key, key === 'based' ? { inject: [getClientToken('base')] } : {}) },
      { scope: 'process' },
    );
    const first = await bootApp({ imports: [clientsOf({ base, tenants })] });
    const second = await bootApp({ imports: [clientsOf({ base, tenants })] });
    const pool = (await registryOf(first).get('tenants')) as Tenants;
    expect(await registryOf(second).get('tenants')).toBe(pool);
    await pool.use('a', idle);
    await first.close();
    expect(journal.of('close')).toEqual([]);
    expect(await pool.use('b', ({ clientName }) => clientName)).toBe('b');
    expect(await pool.use('based', ({ clientName }) => clientName)).toBe('based');
    await second.close();
    expect(journal.of('close').at(-1)).toBe('close base');
    expect(journal.of('close')).toHaveLength(4);
    expect(await rejection(pool.use('c', idle))).toMatchObject({ code: 'CLIENTS_CLOSED' });
  });
});

describe('what is seen of them', () => {
  it('shows each client with its key and the number of its users', async () => {
    const { registry, tenants } = await bootTenants(new Journal());
    const lease = await tenants.lease('a');
    await tenants.use('b', idle);
    expect(registry.status()[0]).toMatchObject({
      name: 'tenants',
      kind: 'keyed',
      state: 'open',
      members: [
        { key: 'a', users: 1, state: 'open', kind: 'custom', createdAt: expect.any(Date) },
        { key: 'b', users: 0, state: 'open' },
      ],
    });
    await lease.release();
  });

  it('shows keyed clients within keyed clients', async () => {
    const outer = keyedClients<Tenants>({
      define: () => keyedClients<FakeClient>({ define: (key) => new Journal().client(key) }),
    });
    const app = await bootApp({ imports: [clientsOf({ outer })] });
    const regions = (await registryOf(app).get('outer')) as KeyedClients<Tenants>;
    await regions.use('eu', (tenants) => tenants.use('acme', idle));
    const members = [{ key: 'eu', kind: 'keyed', members: [{ key: 'acme', kind: 'custom', state: 'open' }] }];
    expect(registryOf(app).status()).toMatchObject([{ name: 'outer', members }]);
  });

  it('publishes events with the key', async () => {
    const { registry, tenants } = await bootTenants(new Journal());
    const events = recordEvents(registry);
    await tenants.use('a', idle);
    await tenants.evict('a');
    const told = events.map(({ client, key, type }) => `${client} ${key} ${type}`);
    expect(told).toEqual(['creating', 'created', 'connected', 'closing', 'closed'].map((type) => `tenants a ${type}`));
  });

  it('is down when a client in use is, and names its key; idle ones are not asked', async () => {
    let asked = 0;
    const { registry, tenants } = await bootTenants(new Journal(), {
      define: (key) =>
        defineClient({
          create: () => new FakeClient(key),
          check: () => {
            asked += 1;
            if (key === 'bad') throw new Error('no answer');
          },
        }),
    });
    await tenants.use('bad', idle);
    expect(await registry.check('tenants')).toMatchObject({ status: 'up' });
    expect(asked).toBe(0);
    const leases = [await tenants.lease('bad'), await tenants.lease('good')];
    const health = await registry.check('tenants');
    expect(health).toMatchObject({ status: 'down' });
    expect(health.error?.message).toBe('1 of 2 keys in use cannot be used: "bad": no answer');
    expect(asked).toBe(2);
    for (const lease of leases) await lease.release();
  });

  it('logs no line for each of 1,000 keys', async () => {
    const { logger, tenants } = await bootTenants(new Journal(), { max: 10 });
    for (let index = 0; index < 1_000; index += 1) await tenants.use(`k${index}`, idle);
    expect(logger.ownLines.length).toBeLessThan(10);
    expect(logger.ownLines.some((line) => line.includes('Client "tenants" (key "k0") created in'))).toBe(true);
  });

  it('keeps what keyedClients injects out of what each key publishes', async () => {
    const secret = 's3cretHorseStaple';
    const tenants = keyedClients<object>({
      inject: ['SECRETS'],
      define: (key, { password }: { password: string }) =>
        defineClient({
          create: () => {
            if (key === 'bad') throw new Error(`refused ${password}`);
            return {};
          },
          onError: (_, report) => report(new Error(`refused ${password}`)),
          check: () => Promise.reject(new Error(`refused ${password}`)),
          close: () => Promise.reject(new Error(`refused ${password}`)),
        }),
    });
    const secrets = moduleOf({
      providers: [{ provide: 'SECRETS', useValue: { password: secret } }],
      exports: ['SECRETS'],
    });
    const logger = new RecordingLogger();
    const app = await bootApp({ imports: [clientsOf({ tenants }, { imports: [secrets] })] }, { logger });
    const registry = registryOf(app);
    const events = recordEvents(registry);
    const pool = (await registry.get('tenants')) as KeyedClients<object>;
    const refused = await rejection(pool.use('bad', idle));
    const lease = await pool.lease('good');
    const seen = [await registry.check('tenants'), registry.status(), logger.lines];
    const failed = await rejection(lease.release().then(() => registry.close()));
    expect(inspect([refused, failed, events, seen, logger.lines], { depth: 9 })).not.toContain(secret);
    expect(logger.lines.join()).toContain('refused ***');
  });

  it('keeps the secrets of one tenant out of the errors of all', async () => {
    const { tenants } = await bootTenants(new Journal(), {
      define: (key) =>
        defineClient<FakeClient>({ create: () => Promise.reject(new Error(`cannot reach redis://app:of-${key}@db`)) }),
    });
    const errors = await Promise.all(['a', 'b'].map((key) => rejection(tenants.use(key, idle))));
    for (const error of errors) expect(`${error.message} ${error.stack}`).not.toContain(':of-');
  });
});

describe('keyedClients', () => {
  it.each(
    titled<[unknown, string]>([
      [{}, '"define"'],
      [{ define: 7 }, '"define"'],
      [{ define: idle, idleTimeout: -1 }, '"idleTimeout"'],
      [{ define: idle, max: 0 }, '"max"'],
      [{ define: idle, max: 1.5 }, '"max"'],
      [{ define: idle, inject: [undefined] }, '"inject"'],
      [{ define: idle, idleTimout: 5 }, '"idleTimout" is not an option'],
      [undefined, 'takes an object'],
    ]),
  )('refuses %s in forRoot', (_, source, message) => {
    const error = thrown(() => clientsOf({ tenants: keyedClients(source as never) }));
    expect(error).toMatchObject({ code: 'CLIENTS_INVALID_OPTIONS' });
    expect(error.message).toContain(message);
  });
});
