/**
 * Nanoseconds of each way to use a client by its key that is built, pass by pass. Arguments: the order of the first pass, 0
 * or 1; how many passes; milliseconds for each way in each.
 */
import { do_not_optimize, measure } from 'mitata';
import { CACHES } from './caches.mjs';

const KEYS = Array.from({ length: 1_000 }, (_, index) => `tenant${index}`);
const KEY = 'tenant500';
/** Uses in one fiber for each that is timed. */
const MANY = 100;
const options = { create: (key) => ({ key }), close: () => {}, idleTimeout: 600_000, max: KEYS.length };
const caches = {};
for (const [name, open] of Object.entries(CACHES)) {
  caches[name] = await open(options);
  for (const key of KEYS) await caches[name].use(key, () => {});
}
const { ours, rcMap, lruFetch, lru, map } = caches;
const cached = Promise.resolve(map.get(KEY));
const work = (client) => do_not_optimize(client);
const asyncWork = async (client) => do_not_optimize(client);

const ways = {
  map: () => work(map.get(KEY)),
  lru: () => work(lru.get(KEY)),
  promise: async () => work(await cached),
  use: async () => await ours.use(KEY, work),
  promiseOfPromise: async () => await asyncWork(await cached),
  useOfPromise: async () => await ours.use(KEY, asyncWork),
  lease: async () => {
    const lease = await ours.lease(KEY);
    work(lease.client);
    await lease.release();
  },
  lruFetch: async () => await lruFetch.use(KEY, work),
  rcMap: async () => await rcMap.use(KEY, work),
  rcMapInFiber: async () => await rcMap.useMany(KEY, work, MANY),
};
const TIMES = { rcMapInFiber: MANY };

const [order, passes, time] = process.argv.slice(2).map(Number);
const entries = Object.entries(ways);
if (order % 2) entries.reverse();
const results = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
// Nothing is compiled yet in the first pass: it does not count.
for (let pass = -1; pass < passes; pass++) {
  for (const [name, way] of entries) {
    const { p50 } = await measure(way, { min_cpu_time: time * 1e6 });
    if (pass >= 0) results[name].push(p50 / (TIMES[name] ?? 1));
  }
  entries.reverse();
}
console.log(JSON.stringify(results));
process.exit();
