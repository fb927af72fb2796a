/**
 * Many uses over 1,000 keys with room for 100, ten at a time: milliseconds and processor time of all. Nine of ten uses find
 * no client, and close one to build one. Arguments: the cache, how many uses.
 */
import { CACHES } from './caches.mjs';

const [KEYS, MAX, CONCURRENT, WARMING] = [1_000, 100, 10, 2_000];
const [name, count] = process.argv.slice(2);
let [created, open, most] = [0, 0, 0];
const create = (key) => {
  created += 1;
  open += 1;
  most = Math.max(most, open);
  return { key };
};
const close = () => {
  open -= 1;
};
const cache = await CACHES[name]({ create, close, idleTimeout: 600_000, max: MAX });
// The same keys in the same order in each run, in no order that a cache could like.
let state = 1;
const nextKey = () => `tenant${(state = (state * 48_271) % 2_147_483_647) % KEYS}`;
const work = ({ key }) => key;

async function useMany(times) {
  let left = times;
  const worker = async () => {
    while (left-- > 0) {
      const key = nextKey();
      if ((await cache.use(key, work)) !== key) throw new Error('the client of another key');
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, worker));
}

await useMany(WARMING);
created = 0;
const before = process.cpuUsage();
const startedAt = performance.now();
await useMany(Number(count));
const time = performance.now() - startedAt;
const { user, system } = process.cpuUsage(before);
// lru-cache makes the new one before it closes the old one, for each that it is asked for at the same time.
if (most > MAX + (name === 'ours' ? 0 : CONCURRENT)) throw new Error(`${most} clients at a time`);
await cache.close();
if (open !== 0) throw new Error(`${open} clients are open after close`);
console.log(JSON.stringify({ time, cpu: (user + system) / 1e3, created }));
process.exit();
