/**
 * Milliseconds from the end of a client's last use, over `idleTimeout`, to its close: of the first and of the last of all
 * keys, which become idle within some milliseconds of each other. Arguments: the cache, how many keys.
 */
import { CACHES } from './caches.mjs';

const IDLE_TIMEOUT = 100;
const [name, count] = process.argv.slice(2);
const late = [];
const idleSince = new Map();
let tellClosed;
const allClosed = new Promise((resolve) => (tellClosed = resolve));
const close = ({ key }) => {
  late.push(performance.now() - idleSince.get(key) - IDLE_TIMEOUT);
  if (late.length === Number(count)) tellClosed();
};
const options = { create: (key) => ({ key }), close, idleTimeout: IDLE_TIMEOUT, max: Number(count) };
const cache = await CACHES[name](options);
const keys = Array.from({ length: Number(count) }, (_, index) => `tenant${index}`);
// To build them takes longer than they may be idle, and no timer runs in the meantime.
for (const key of keys) await cache.use(key, () => {});
for (const key of keys) {
  await cache.use(key, () => {});
  idleSince.set(key, performance.now());
}
const before = process.cpuUsage();
// Timers of clients do not keep the process alive; this one does.
const alive = setInterval(() => {}, 1_000);
await allClosed;
clearInterval(alive);
const { user, system } = process.cpuUsage(before);
await cache.close();
console.log(JSON.stringify({ first: late[0], last: Math.max(...late), cpu: (user + system) / 1e3 }));
