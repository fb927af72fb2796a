/**
 * Nanoseconds of each way to a client that is built, pass by pass. Arguments: the order of the first pass, 0 or 1; how many
 * passes; milliseconds for each way in each.
 */
import 'reflect-metadata';
import memoize from 'lodash.memoize';
import { do_not_optimize, measure } from 'mitata';
import moize from 'moize';
import { ClientRegistry, ClientsModule, defineClient } from 'nestjs-clients';
import { NestFactory } from '@nestjs/core';
import pMemoize from 'p-memoize';
import { asModule } from './decorate.mjs';

const NAMES = Array.from({ length: 10 }, (_, index) => `client${index}`);
const NAME = 'client5';
const create = () => ({});

const clients = Object.fromEntries(NAMES.map((name) => [name, defineClient({ create })]));
const app = await NestFactory.createApplicationContext(asModule({ imports: [ClientsModule.forRoot({ clients })] }), {
  logger: false,
});
const registry = app.get(ClientRegistry);
for (const name of NAMES) await registry.get(name);

const map = new Map(NAMES.map((name) => [name, create()]));
const cached = Promise.resolve(create());
const lodash = memoize(create);
const lodashAsync = memoize(async () => create());
// moize keeps one result unless told otherwise: nine of the ten clients would be built again and again.
const moized = moize(create, { maxSize: Infinity });
const moizedAsync = moize(async () => create(), { isPromise: true, maxSize: Infinity });
const pMemoized = pMemoize(async () => create());
for (const name of NAMES) {
  lodash(name);
  moized(name);
  await Promise.all([lodashAsync(name), moizedAsync(name), pMemoized(name)]);
}

const ways = {
  map: () => do_not_optimize(map.get(NAME)),
  peek: () => do_not_optimize(registry.peek(NAME)),
  lodash: () => do_not_optimize(lodash(NAME)),
  moize: () => do_not_optimize(moized(NAME)),
  promise: async () => do_not_optimize(await cached),
  get: async () => do_not_optimize(await registry.get(NAME)),
  lodashAsync: async () => do_not_optimize(await lodashAsync(NAME)),
  moizeAsync: async () => do_not_optimize(await moizedAsync(NAME)),
  pMemoize: async () => do_not_optimize(await pMemoized(NAME)),
};

const [order, passes, time] = process.argv.slice(2).map(Number);
const entries = Object.entries(ways);
if (order % 2) entries.reverse();
const results = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
// Nothing is compiled yet in the first pass: it does not count.
for (let pass = -1; pass < passes; pass++) {
  for (const [name, way] of entries) {
    const { p50 } = await measure(way, { min_cpu_time: time * 1e6 });
    if (pass >= 0) results[name].push(p50);
  }
  entries.reverse();
}
console.log(JSON.stringify(results));
process.exit();
