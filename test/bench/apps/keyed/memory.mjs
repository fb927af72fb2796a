/** Bytes of heap for each key. Arguments: the cache, how many keys. */
import { weigh } from '../weigh.mjs';
import { CACHES } from './caches.mjs';

const [name, count] = process.argv.slice(2);
const keys = Array.from({ length: Number(count) }, (_, index) => `tenant${index}`);
const options = { create: (key) => ({ key }), close: () => {}, idleTimeout: 600_000, max: keys.length };
const cache = await CACHES[name](options);
await cache.use('warm', () => {});
const before = weigh();
for (const key of keys.slice(1)) await cache.use(key, () => {});
const after = weigh();
console.log(JSON.stringify({ each: (after.heapUsed - before.heapUsed) / (keys.length - 1) }));
await cache.close();
process.exit();
