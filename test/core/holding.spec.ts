import { forwardRef, Inject, Injectable, Scope } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ClientRegistry, defineClient, getClientToken, InjectClient } from '../../src/index.js';
import { bootApp, clientsOf, moduleOf, recordEvents, registryOf, rejection, turn } from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';
import { Journal, type FakeClient } from '../support/journal.js';

const shared = { scope: 'process' as const };
const on = (...names: string[]) => ({ inject: names.map(getClientToken) });
const turns = async (count: number) => {
  for (let index = 0; index < count; index += 1) await turn();
};
const compile = (...imports: object[]) => Test.createTestingModule({ imports: imports as [] }).compile();

it('closes with a base what an application that is still booting has built on it, and that application fails to start', async () => {
  const journal = new Journal();
  const agent = journal.client('agent', {}, shared);
  const search = journal.client('search', on('agent'), shared);
  const old = await bootApp({ imports: [clientsOf({ agent })] });
  await registryOf(old).get('agent');
  const slow = await compile(clientsOf({ agent, search }));
  await slow.get(ClientRegistry).get('search');
  await old.close();
  expect(journal.of('close')).toEqual(['close search', 'close agent']);
  expect(await rejection(slow.get(ClientRegistry).get('search'))).toMatchObject({ code: 'CLIENTS_CLOSED' });
  expect(await rejection(slow.init())).toMatchObject({ code: 'CLIENTS_CLOSED' });
  const mine = await bootApp({ imports: [clientsOf({ agent, search })] });
  await registryOf(mine).get('search');
  await mine.close();
  expect(journal.of('close')).toEqual(['close search', 'close agent', 'close search', 'close agent']);
});

it('closes a base that only a build kept open when that build fails', async () => {
  const journal = new Journal();
  const gate = deferred();
  const agent = journal.client('agent', {}, shared);
  const search = journal.client(
    'search',
    { ...on('agent'), create: () => gate.promise.then(() => Promise.reject(new Error('no'))) },
    shared,
  );
  const old = await bootApp({ imports: [clientsOf({ agent })] });
  await registryOf(old).get('agent');
  const slow = await compile(clientsOf({ agent, search }));
  const asked = rejection(slow.get(ClientRegistry).get('search'));
  await turns(3);
  await old.close();
  expect(journal.of('close')).toEqual([]);
  gate.resolve();
  await asked;
  await turns(3);
  expect(journal.of('close')).toEqual(['close agent']);
  await slow.close();
  expect(journal.of('close')).toEqual(['close agent']);
});

it('does not close a base when a build on it fails and others still hold it', async () => {
  const journal = new Journal();
  const base = journal.client('base', {}, shared);
  const top = journal.client('top', { ...on('base'), create: () => Promise.reject(new Error('no')) }, shared);
  const booting = await compile(clientsOf({ base, top }));
  await rejection(booting.get(ClientRegistry).get('top'));
  await turns(3);
  expect(journal.of('close')).toEqual([]);
  await booting.init();
  expect(await booting.get(ClientRegistry).get('base')).toBe(journal.built[0]);
  await booting.close();
  expect(journal.of('close')).toEqual(['close base']);
});

it('closes at once what is built in a circle through forwardRef', async () => {
  const journal = new Journal();
  @Injectable()
  class Service {
    constructor(@Inject(forwardRef(() => getClientToken('b'))) readonly b: FakeClient) {}
  }
  Inject(forwardRef(() => getClientToken('b')))(Service, undefined, 0);
  const services = moduleOf({ providers: [Service], exports: [Service] });
  const a = journal.client('a', { inject: [Service] }, { createTimeout: 100 });
  const b = journal.client('b', { ...on('a') }, { createTimeout: 100 });
  const app = await Promise.race([
    bootApp({ imports: [clientsOf({ a, b }, { imports: [services] })] }).catch((error: Error) => error),
    new Promise<string>((resolve) => setTimeout(() => resolve('hangs'), 2_000)),
  ]);
  expect(app).not.toBe('hangs');
});

it('closes two clients that are built on each other after a first failure was caught', async () => {
  const journal = new Journal();
  let attempts = 0;
  const ask = (name: string, other: string) => ({
    inject: [ClientRegistry],
    create: async (registry: ClientRegistry) => {
      if (name === 'a' && ++attempts === 1) throw new Error('no luck');
      await registry.get(other).catch(() => {});
      return journal.build(name);
    },
  });
  const app = await bootApp({
    imports: [clientsOf({ a: journal.client('a', ask('a', 'b')), b: journal.client('b', ask('b', 'a')) })],
  });
  await registryOf(app).get('b');
  await registryOf(app).get('a');
  const startedAt = performance.now();
  await app.close();
  expect(performance.now() - startedAt).toBeLessThan(500);
  expect(journal.of('close').toSorted()).toEqual(['close a', 'close b']);
});

it('closes every client once, dependents first, for random clients of two applications that close at any time', async () => {
  const shape = fc.record({
    edges: fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 16 }),
    process: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    asked: fc.array(fc.tuple(fc.nat(1), fc.nat(7)), { maxLength: 8 }),
    started: fc.tuple(fc.constant(true), fc.constant(true)),
    delays: fc.array(fc.nat(3), { minLength: 16, maxLength: 16 }),
    gap: fc.nat(6),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ edges, process, asked, started, delays, gap }) => {
      const open = new Map<object, object[]>();
      const problems: string[] = [];
      const definitions: Record<string, ReturnType<typeof defineClient>> = {};
      // Those of the process first: they may only be built on such.
      const scopes = process.toSorted((one, other) => Number(other) - Number(one));
      for (let index = 0; index < 8; index += 1) {
        const bases = edges.filter(([from, to]) => from === index && to < index).map(([, to]) => to);
        definitions[`c${index}`] = defineClient(
          {
            inject: bases.map((base) => getClientToken(`c${base}`)),
            create: async (...given: object[]) => {
              await turns(delays[index]!);
              for (const base of given) if (!open.has(base)) problems.push(`c${index} made on a closed client`);
              const client = { index };
              open.set(client, given);
              return client;
            },
            close: async (client: object) => {
              for (const [other, bases_] of open)
                if (bases_.includes(client))
                  problems.push(`${JSON.stringify(client)} closes under ${JSON.stringify(other)}`);
              await turns(delays[8 + index]!);
              if (!open.delete(client)) problems.push('closed twice');
            },
          },
          scopes[index] ? shared : {},
        );
      }
      const apps = [await compile(clientsOf(definitions)), await compile(clientsOf(definitions))];
      for (const [index, app] of apps.entries()) if (started[index]) await app.init();
      const asks = asked.map(([app, client]) =>
        apps[app]!.get(ClientRegistry)
          .get(`c${client}`)
          .catch(() => {}),
      );
      if (gap < 5) await turns(gap);
      else await Promise.all(asks);
      const first = apps[0]!.close();
      await turns(delays[0]!);
      const second = apps[1]!.close();
      await Promise.all([first, second, ...asks]);
      await turns(10);
      if (open.size > 0) problems.push(`left open: ${[...open.keys()].map((one) => JSON.stringify(one)).join()}`);
      expect(problems).toEqual([]);
    }),
    { numRuns: 400 },
  );
}, 60_000);

it('closes a base after the client that a failed build has made on it', async () => {
  const journal = new Journal();
  const gate = deferred();
  const top = journal.client(
    'top',
    {
      ...on('base'),
      check: () => Promise.reject(new Error('down')),
      close: () => gate.promise.then(() => journal.write('closed top')),
    },
    { waitUntilReady: true, createTimeout: 20 },
  );
  const app = await bootApp({ imports: [clientsOf({ base: journal.client('base'), top })] });
  await rejection(registryOf(app).get('top'));
  const closed = app.close();
  await turns(3);
  gate.resolve();
  await closed;
  expect(journal.entries.slice(-2)).toEqual(['closed top', 'close base']);
});

it('does not wait at close for a build that passed its deadline and never ends', async () => {
  const journal = new Journal();
  const top = journal.client(
    'top',
    { ...on('base'), create: () => new Promise<never>(() => {}) },
    { createTimeout: 20 },
  );
  const app = await bootApp({ imports: [clientsOf({ base: journal.client('base'), top })] });
  await rejection(registryOf(app).get('top'));
  const startedAt = performance.now();
  await app.close();
  expect(performance.now() - startedAt).toBeLessThan(300);
  expect(journal.of('close')).toEqual(['close base']);
});

it('keeps the base open of a client that a lazily loaded module declares', async () => {
  const journal = new Journal();
  const base = journal.client('base', {}, shared);
  const first = await bootApp({ imports: [clientsOf({ base })] });
  await registryOf(first).get('base');
  const second = await bootApp({ imports: [clientsOf({ base })] });
  @Injectable()
  class Service {
    constructor(@InjectClient('base') readonly client: FakeClient) {}
  }
  const services = moduleOf({ providers: [Service], exports: [Service] });
  const top = journal.client('top', { inject: [Service] });
  await second.get(LazyModuleLoader).load(() => moduleOf({ imports: [clientsOf({ top }, { imports: [services] })] }));
  await registryOf(second).get('top');
  await first.close();
  await second.close();
  expect(journal.of('close')).toEqual(['close top', 'close base']);
});

it('publishes a closing only to the application that has caused it', async () => {
  const journal = new Journal();
  const base = journal.client('base', {}, shared);
  const top = journal.client('top', on('base'), shared);
  const first = await bootApp({ imports: [clientsOf({ base, top })] });
  const second = await bootApp({ imports: [clientsOf({ base: journal.client('base'), other: top })] });
  await registryOf(first).get('top');
  await registryOf(second).get('other');
  const [heard1, heard2] = [recordEvents(registryOf(first)), recordEvents(registryOf(second))];
  await first.close();
  await second.close();
  expect(heard1.map(({ client, type }) => `${client} ${type}`)).toEqual([]);
  expect(heard2.map(({ client, type }) => `${client} ${type}`)).toEqual(['other closing', 'other closed']);
  expect(journal.of('close')).toEqual(['close top', 'close base']);
});

it('reports a client that is built on itself through a transient service', async () => {
  @Injectable({ scope: Scope.TRANSIENT })
  class Service {
    constructor(@InjectClient('a') readonly a: FakeClient) {}
  }
  const services = moduleOf({ providers: [Service], exports: [Service] });
  const a = new Journal().client('a', { inject: [Service] }, { createTimeout: 2_000 });
  const app = await bootApp({ imports: [clientsOf({ a }, { imports: [services] })] });
  const error = await rejection(registryOf(app).get('a'));
  expect(error).toMatchObject({ code: 'CLIENTS_CREATE_FAILED' });
  expect(error.message).toContain('it is built on itself: "a" -> "a"');
});

it('holds nothing new when an application that has never started closes after others have closed its client', async () => {
  const journal = new Journal();
  let attempts = 0;
  const create = () => {
    if (++attempts === 1) throw new Error('no luck');
    return journal.build('main');
  };
  const main = journal.client('main', { create }, shared);
  const [first, second, third] = [
    await compile(clientsOf({ main })),
    await compile(clientsOf({ main })),
    await compile(clientsOf({ main })),
  ];
  await Promise.all([first, second].map((module) => rejection(module.get(ClientRegistry).get('main'))));
  await first.close();
  await second.close();
  await third.get(ClientRegistry).get('main');
  await third.close();
  expect(journal.of('close')).toEqual(['close main']);
});
