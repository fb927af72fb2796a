import { Test } from '@nestjs/testing';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ClientRegistry, defineClient, getClientToken } from '../../src/index.js';
import { clientsOf, turn } from '../support/boot-app.js';

const turns = async (count: number) => {
  for (let index = 0; index < count; index += 1) await turn();
};
const compile = (...imports: object[]) => Test.createTestingModule({ imports: imports as [] }).compile();

it('closes each client once and none under its dependents, in 500 random lives of three applications', async () => {
  const shape = fc.record({
    edges: fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { minLength: 8, maxLength: 24 }),
    process: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    asked: fc.array(fc.tuple(fc.nat(2), fc.nat(7)), { minLength: 4, maxLength: 16 }),
    started: fc.tuple(fc.boolean(), fc.boolean()),
    delays: fc.array(fc.nat(3), { minLength: 16, maxLength: 16 }),
    fails: fc.array(fc.constantFrom(0, 0, 0, 0, 0, 1), { minLength: 8, maxLength: 8 }), // how many times
    way: fc.array(fc.nat(2), { minLength: 8, maxLength: 8 }),
    gap: fc.nat(6),
    between: fc.nat(3),
  });
  const runs = { all: 0, none: 0 };
  await fc.assert(
    fc.asyncProperty(shape, async ({ edges, process, asked, started, delays, fails, way, gap, between }) => {
      const open = new Map<{ index: number; app?: number }, object[]>();
      const problems: string[] = [];
      const left = [...fails];
      const definitions: Record<string, ReturnType<typeof defineClient>>[] = [{}, {}, {}];
      const services: object[] = [];
      const scopes = process.toSorted((one, other) => Number(other) - Number(one));
      for (let index = 0; index < 8; index += 1) {
        const bases = [...new Set(edges.filter(([from, to]) => from === index && to < index).map(([, to]) => to))];
        const asks = way[index] === 1;
        // Through a provider that has been there since bootstrap.
        const tokens = bases.map((base) => (way[index] === 2 ? `s${index}-${base}` : getClientToken(`c${base}`)));
        if (way[index] === 2) {
          for (const base of bases)
            services.push({
              provide: `s${index}-${base}`,
              inject: [getClientToken(`c${base}`)],
              useFactory: (client: object) => client,
            });
        }
        const define = (app?: number) =>
          defineClient(
            {
              inject: asks ? [ClientRegistry] : tokens,
              create: async (...injected: object[]) => {
                const given: object[] = [];
                if (asks)
                  for (const base of bases)
                    given.push((await (injected[0] as ClientRegistry).get(`c${base}`)) as object);
                else given.push(...injected);
                await turns(delays[index]!);
                if ((left[index] ?? 0) > 0) {
                  left[index]! -= 1;
                  throw new Error('no luck');
                }
                for (const base of given)
                  if (!open.has(base as never)) problems.push(`c${index} made on a closed client`);
                const client = app === undefined ? { index } : { index, app };
                open.set(client, given);
                return client;
              },
              close: async (client: { index: number; app?: number }) => {
                for (const [other, on] of open)
                  if (
                    on.includes(client) &&
                    (other.app === undefined || started[other.app as 0] || other.app === client.app)
                  )
                    problems.push(`c${client.index} closes under c${other.index}`);
                await turns(delays[8 + index]!);
                if (!open.delete(client)) problems.push('closed twice');
              },
            },
            scopes[index] ? { scope: 'process' } : {},
          ) as never;
        const one = define();
        for (const app of [0, 1, 2]) definitions[app]![`c${index}`] = scopes[index] ? one : define(app);
      }
      const withServices = () => {
        class Services {}
        return {
          module: Services,
          providers: services,
          exports: services.map((one) => (one as { provide: string }).provide),
        };
      };
      const make = (app: number) =>
        compile(clientsOf(definitions[app]!, { imports: [withServices() as never] })).catch(() => undefined);
      const apps = [await make(0), await make(1), await make(2)];
      runs.all += 1;
      if (apps.some((app) => app === undefined)) runs.none += 1;
      if (apps.some((app) => app === undefined)) {
        for (const app of apps) await app?.close(); // a service could not be had
        return;
      }
      for (const [index, isStarted] of started.entries()) if (isStarted) await apps[index]!.init().catch(() => {});
      const asks = asked.map(([app, client]) =>
        apps[app]!.get(ClientRegistry)
          .get(`c${client}`)
          .catch(() => {}),
      );
      if (gap < 5) await turns(gap);
      else {
        await Promise.all(asks);
        await turns(40); // for builds that go on though what asked for them has failed
      }
      const startedAt = performance.now();
      const first = apps[0]!.close();
      await turns(between);
      await Promise.all([first, apps[1]!.close()]);
      if (performance.now() - startedAt > 1_000) problems.push('took long');
      if (gap >= 5 && (started[0] || started[1])) {
        for (const { index } of open.keys()) if (scopes[index]) problems.push(`c${index} of the process left open`);
      }
      await Promise.all(asks);
      await apps[2]!.close();
      await turns(20);
      for (const { index } of open.keys()) problems.push(`c${index} left open at the end`);
      expect(problems).toEqual([]);
    }),
    { numRuns: 500 },
  );
  expect(runs.none).toBeLessThan(runs.all / 2);
}, 240_000);
