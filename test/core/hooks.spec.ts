import { describe, expect, it } from 'vitest';
import { defineClient } from '../../src/index.js';
import { bootApp, clientsOf, nextEvent, recordEvents, registryOf, rejection, turn } from '../support/boot-app.js';
import { runInNode } from '../support/run-in-node.js';

const BAD = `{
  'throws': () => { throw new Error('bad'); },
  'throws undefined': () => { throw undefined; },
  'throws a proxy': () => { throw new Proxy({}, { get() { throw new Error('trap'); }, has() { throw new Error('trap'); }, getPrototypeOf() { throw new Error('trap'); } }); },
  'throws hostile getters': () => { throw Object.defineProperties(new Error('x'), { message: { get() { throw 1; } }, stack: { get() { throw 1; } }, cause: { get() { throw 1; } } }); },
  'rejects': async () => { throw new Error('bad'); },
  'rejects later': async () => { await null; throw new Error('bad'); },
  'rejects much later': () => new Promise((_, reject) => setTimeout(reject, 20, new Error('bad'))),
  'rejects with null': () => Promise.reject(null),
  'returns undefined': () => undefined,
  'returns null': () => null,
  'returns a number': () => 7,
  'returns a thenable that throws': () => ({ then() { throw new Error('bad'); } }),
  'returns a thenable that rejects late': () => ({ then(_, reject) { setTimeout(reject, 20, new Error('bad')); } }),
  'returns a thenable that settles twice': () => ({ then(resolve, reject) { resolve(); reject(new Error('bad')); resolve(); } }),
  'returns a thenable that resolves, then throws': () => ({ then(resolve) { resolve(); throw new Error('bad'); } }),
  'returns what never settles': () => new Promise(() => {}),
  'returns a proxy that throws': () => new Proxy({}, { get() { throw new Error('trap'); } }),
  'returns a getter that throws': () => ({ get then() { throw new Error('trap'); } }),
  'returns a promise without catch': () => Object.assign(Promise.reject(new Error('bad')), { catch: undefined, then: undefined }),
}`;
const HOOKS = ['create', 'connect', 'check', 'close', 'destroy', 'onError', 'onConnection'] as const;

describe('a faulty hook of a driver', () => {
  it.each(HOOKS)(
    'breaks nothing, whatever %s throws or returns, before, while and after the client is open',
    async (hook) => {
      const run = await runInNode(`
      import 'reflect-metadata';
      import { Module } from '@nestjs/common';
      import { NestFactory } from '@nestjs/core';
      import { ClientsModule, ClientRegistry, defineClient } from './src/index.js';
      const bad = ${BAD};
      const reports = [];
      const hostile = new Proxy({}, { get() { throw new Error('trap'); }, getPrototypeOf() { throw new Error('trap'); } });
      const clients = Object.fromEntries(Object.entries(bad).flatMap(([name, work]) => [true, false].map((fails, index) => [name + index, defineClient({
        create: () => ({}),
        close: fails ? () => { throw new Error('no'); } : () => {},
        destroy() {},
        onError: (client, report) => { reports.push(report); report(new Error('at once')); report(hostile); report(); },
        onConnection: (client, report) => { reports.push(report); report('connected'); report('disconnected', hostile); report(hostile); },
        ${hook}: work,
      }, { createTimeout: 200, closeTimeout: 100 })])));
      const lines = [];
      const write = (...parts) => lines.push(parts.join(' '));
      class AppModule {}
      Module({ imports: [ClientsModule.forRoot({ clients })] })(AppModule);
      const logger = { log: write, warn: write, error: write };
      const app = await NestFactory.createApplicationContext(AppModule, { logger });
      const registry = app.get(ClientRegistry);
      const names = Object.keys(clients);
      const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      const again = () => { for (const report of reports) for (let i = 0; i < 20; i++) { report('disconnected', hostile); report(new Error('again')); } };
      const asked = Promise.allSettled(names.map((name) => registry.get(name)));
      again();
      await asked;
      again();
      await Promise.all(names.map((name) => registry.check(name, { timeout: 50 })));
      await wait(50);
      again();
      const closing = app.close();
      again();
      await closing;
      again();
      await wait(50);
      const own = lines.filter((line) => line.includes('ClientsModule'));
      const most = Math.max(...names.map((name) => own.filter((line) => line.includes('"' + name + '"')).length));
      console.log(JSON.stringify({ states: [...new Set(registry.status().map(({ state }) => state))], most }));
    `);
      expect(run.errors).toBe('');
      expect(run.code).toBe(0);
      const { states, most } = JSON.parse(run.output) as { states: string[]; most: number };
      expect(states).toEqual(['closed']);
      expect(most).toBeLessThan(12); // a line for each kind of trouble, not for each time
    },
  );

  it.each([
    ['onError', 'rejects', async () => Promise.reject(new Error('bad'))],
    [
      'onError',
      'rejects a turn later',
      async () => {
        await Promise.resolve();
        throw new Error('bad');
      },
    ],
    [
      'onError',
      'rejects much later',
      async () => {
        await turn();
        throw new Error('bad');
      },
    ],
    ['onError', 'reports at once', (_: unknown, report: (error: unknown) => void) => report(new Error('bad'))],
    ['onConnection', 'rejects', async () => Promise.reject(new Error('bad'))],
    [
      'onConnection',
      'returns a thenable that throws',
      () => ({
        // oxlint-disable-next-line unicorn/no-thenable -- that is the subject
        then: () => {
          throw new Error('bad');
        },
      }),
    ],
    [
      'connect',
      'throws',
      () => {
        throw new Error('bad');
      },
    ],
    ['connect', 'rejects', async () => Promise.reject(new Error('bad'))],
  ])('%s that %s is reported under the client’s name', async (hook, _, work) => {
    const app = await bootApp(clientsOfOne({ create: () => ({}), [hook]: work }));
    const registry = registryOf(app);
    const events = recordEvents(registry);
    const error = nextEvent(registry, 'error', 'main');
    await registry.get('main');
    expect((await error).error.message).toContain('bad');
    expect(events.map(({ type }) => type).indexOf('created')).toBeLessThan(
      events.map(({ type }) => type).indexOf('error'),
    );
    expect(registry.status()[0]).toMatchObject({ state: 'open', lastError: { message: 'bad' } });
  });

  it.each(['onError', 'onConnection', 'create'])(
    '%s that throws fails the build, which is tried again',
    async (hook) => {
      let isBad = true;
      const work = () => {
        if (isBad) throw new Error('bad');
        return {};
      };
      const app = await bootApp(clientsOfOne({ create: () => ({}), [hook]: work }));
      const registry = registryOf(app);
      expect(await rejection(registry.get('main'))).toMatchObject({ code: 'CLIENTS_CREATE_FAILED', client: 'main' });
      isBad = false;
      expect(await registry.get('main')).toEqual({});
    },
  );
});

function clientsOfOne(driver: object) {
  return { imports: [clientsOf({ main: defineClient(driver as { create(): object }) })] };
}
