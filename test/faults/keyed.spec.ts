import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import * as fc from 'fast-check';
import type { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { keyedClients, type ClientLease, type KeyedClients } from '../../src/index.js';
import { redisClient } from '../../src/redis/index.js';
import { bootApp, clientsOf, recordEvents, registryOf } from '../support/boot-app.js';
import { describeWithRedis, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { record } from './support/record.js';

const LIVES = 1_000;
const MAX = 3;
const IDLE_TIMEOUT = 4;
/** Errors that a user may get instead of a client. */
const REFUSALS = ['CLIENTS_EXHAUSTED', 'CLIENTS_CLOSED', 'CLIENTS_CREATE_FAILED'];

const step = fc.record({
  action: fc.constantFrom('use', 'use', 'use', 'lease', 'lease', 'release', 'evict', 'idle', 'fail', 'turn'),
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  turns: fc.nat(3),
});
const life = fc.array(step, { minLength: 10, maxLength: 40 });

interface Tally {
  served: number;
  refused: number;
  built: number;
}

async function live(server: RedisServer, steps: readonly Step[], tally: Tally): Promise<string[]> {
  const problems: string[] = [];
  const failing = new Set<string>();
  const tenants = keyedClients<Redis>({
    define: async (key) => {
      await setImmediate();
      if (failing.delete(key)) throw new Error('no luck');
      return redisClient({ host: server.host, port: server.port });
    },
    idleTimeout: IDLE_TIMEOUT,
    max: MAX,
  });
  const app = await bootApp({ imports: [clientsOf({ tenants })] });
  const registry = registryOf(app);
  const events = recordEvents(registry);
  let open = 0;
  registry.events$.subscribe(({ type, key }) => {
    if (key === undefined) return;
    if (type === 'created') open += 1;
    if (type === 'closed') open -= 1;
    if (open > MAX) problems.push(`${open} clients at a time`);
  });
  const keyed = (await registry.get('tenants')) as KeyedClients<Redis>;
  const leases: ClientLease<Redis>[] = [];
  const running: Promise<void>[] = [];

  const serve = async (redis: Redis, key: string): Promise<void> => {
    if ((await redis.echo(key)) !== key) problems.push(`${key} was answered for another key`);
    tally.served += 1;
  };
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const { code = '', message } = error as Error & { code?: string };
      if (REFUSALS.includes(code)) tally.refused += 1;
      else problems.push(message); // such as that of a command on a client that was closed while it was held
    }
  };
  const use = ({ key, turns }: Step): Promise<void> =>
    attempt(() =>
      keyed.use(key, async (redis) => {
        for (let turn = 0; turn < turns; turn += 1) await serve(redis, key);
      }),
    );
  const lease = ({ key }: Step): Promise<void> =>
    attempt(async () => {
      const held = await keyed.lease(key);
      leases.push(held);
      await serve(held.client, key);
    });
  const release = async ({ key }: Step): Promise<void> => {
    const held = leases.shift();
    if (!held) return;
    await attempt(() => serve(held.client, key));
    await held.release();
    await held.release();
  };
  for (const one of steps) {
    if (one.action === 'use') running.push(use(one));
    if (one.action === 'lease') running.push(lease(one));
    if (one.action === 'release') running.push(release(one));
    if (one.action === 'evict') running.push(keyed.evict(one.key));
    if (one.action === 'fail') failing.add(one.key);
    if (one.action === 'idle') await wait(IDLE_TIMEOUT + 2);
    if (one.action === 'turn') await setImmediate();
  }
  const closed = app.close();
  for (let index = 0; leases.length > 0 || index < 2; index += 1) {
    await Promise.race([Promise.all(running), wait(50)]);
    await release({ action: 'release', key: 'last', turns: 0 });
  }
  await Promise.all([closed, ...running]);
  const count = (type: string): number =>
    events.filter((event) => event.type === type && event.key !== undefined).length;
  tally.built += count('created');
  if (count('closed') !== count('created')) problems.push(`${count('created')} created, ${count('closed')} closed`);
  if (count('closeFailed') > 0) problems.push('not closed gracefully');
  return problems;
}

type Step = { readonly action: string; readonly key: string; readonly turns: number };

describeWithRedis('keyed clients', () => {
  it(`are held, bounded and closed once in ${LIVES} random lives`, async () => {
    await using server = await startRedisServer();
    const tally: Tally = { served: 0, refused: 0, built: 0 };
    await fc.assert(
      fc.asyncProperty(life, async (steps) => {
        expect(await live(server, steps, tally)).toEqual([]);
        expect(await server.clientCount()).toBe(0);
      }),
      { numRuns: LIVES, endOnFailure: true },
    );
    expect(tally.built).toBeGreaterThan(LIVES);
    const { served, refused, built } = tally;
    record(
      'keyed',
      `${LIVES} lives: ${built} clients built and closed once each, ${served} commands answered, ${refused} uses refused with a code; 0 connections left`,
    );
  });
});
