/**
 * Caches of clients by key, each opened with the same four things: `create(key)`, `close(client)`, `idleTimeout` in
 * milliseconds, `max`. Each has `use(key, work)`; which of them waits for the client and holds it while `work` runs:
 *
 * - ours: yes, yes
 * - rcMap: yes, yes; at `max` it fails even if clients are idle, so it is opened without
 * - lruFetch: yes, no: it disposes of what is in use
 * - lru, map: no, no; whoever uses a key first must have made its client
 */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Effect, RcMap, Scope } from 'effect';
import { LRUCache } from 'lru-cache';
import { ClientRegistry, ClientsModule, defineClient, keyedClients } from 'nestjs-clients';
import { asModule } from '../decorate.mjs';

export const CACHES = { ours, rcMap, lruFetch, lru, map: bareMap };

async function ours({ create, close, ...limits }) {
  const define = (key) => defineClient({ create: () => create(key), close });
  const imports = [ClientsModule.forRoot({ clients: { tenants: keyedClients({ define, ...limits }) } })];
  const app = await NestFactory.createApplicationContext(asModule({ imports }), { logger: false });
  const tenants = await app.get(ClientRegistry).get('tenants');
  return {
    use: (key, work) => tenants.use(key, work),
    lease: (key) => tenants.lease(key),
    size: () => tenants.keys().length,
    close: () => app.close(),
  };
}

async function rcMap({ create, close, idleTimeout }) {
  const scope = Scope.makeUnsafe();
  const lookup = (key) =>
    Effect.acquireRelease(
      Effect.sync(() => create(key)),
      (client) => Effect.sync(() => close(client)),
    );
  const entries = await Effect.runPromise(Scope.provide(RcMap.make({ lookup, idleTimeToLive: idleTimeout }), scope));
  const effect = (key, work) => Effect.scoped(Effect.map(RcMap.get(entries, key), work));
  return {
    use: (key, work) => Effect.runPromise(effect(key, work)),
    /** As often as asked, in one fiber: without what it takes to start one and to make a promise of it. */
    useMany: (key, work, times) => {
      let left = times;
      const body = () => effect(key, work);
      return Effect.runPromise(Effect.whileLoop({ while: () => left-- > 0, body, step: () => {} }));
    },
    close: () => Effect.runPromise(Scope.close(scope, { _tag: 'Success' })),
  };
}

function openLru({ create, close, idleTimeout, max }) {
  return new LRUCache({
    max,
    ttl: idleTimeout,
    ttlAutopurge: idleTimeout < 1000, // a timer for each key, so only where it is seen
    updateAgeOnGet: true,
    dispose: close,
    fetchMethod: async (key) => create(key),
  });
}

async function lruFetch(options) {
  const cache = openLru(options);
  return {
    use: async (key, work) => work(await cache.fetch(key)),
    size: () => cache.size,
    close: async () => cache.clear(),
  };
}

async function lru(options) {
  const cache = openLru(options);
  return {
    use: async (key, work) => {
      let client = cache.get(key);
      if (!client) cache.set(key, (client = options.create(key)));
      return work(client);
    },
    get: (key) => cache.get(key),
    size: () => cache.size,
    close: async () => cache.clear(),
  };
}

async function bareMap({ create, close }) {
  const clients = new Map();
  return {
    use: async (key, work) => {
      let client = clients.get(key);
      if (!client) clients.set(key, (client = create(key)));
      return work(client);
    },
    get: (key) => clients.get(key),
    size: () => clients.size,
    close: async () => clients.forEach(close),
  };
}
