import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { lastValueFrom, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ClientEvent } from '../../src/index.js';
import { InjectRedis, redisClient } from '../../src/redis/index.js';
import { bootApp, clientsOf, nextEvent, recordEvents, registryOf, turn } from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';
import { Journal } from '../support/journal.js';
import { describeWithRedis, freePort, startRedisServer, type RedisServer } from '../support/redis-server.js';

@Injectable()
class Links {
  constructor(@InjectRedis() readonly redis: Redis) {}
}

@Injectable()
class Stats {
  constructor(@InjectRedis() readonly redis: Redis) {}
}

function describeEvent(event: ClientEvent): string {
  const consumer = 'consumer' in event ? ` ${event.consumer}` : '';
  return `${event.type} ${event.client}${consumer}`;
}

describe('events$', () => {
  it('publishes the life of a client in order, then completes', async () => {
    const app = await bootApp({ imports: [clientsOf({ main: new Journal().client('main') })] });
    const registry = registryOf(app);
    const events = recordEvents(registry);
    const completed = deferred();
    registry.events$.subscribe({ complete: completed.resolve });
    const connected = nextEvent(registry, 'connected');
    await registry.get('main');
    await connected;
    await app.close();
    await completed.promise;
    expect(events.map(({ type }) => type)).toEqual(['creating', 'created', 'connected', 'closing', 'closed']);
    for (const event of events) expect(event).toMatchObject({ client: 'main', at: expect.any(Date) as Date });
  });

  it('completes although nothing was ever built', async () => {
    const app = await bootApp({ imports: [clientsOf({ main: new Journal().client('main') })] });
    const completed = deferred();
    registryOf(app).events$.subscribe({ complete: completed.resolve });
    await app.close();
    await expect(completed.promise).resolves.toBeUndefined();
  });
});

describeWithRedis('events$ of a real Redis client', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());

  it('publishes the life of a client in order, from its first use to its end', async () => {
    let events: ClientEvent[] = [];
    const app = await bootApp(
      { imports: [clientsOf({ redis: redisClient(server.url), unused: redisClient(server.url) })] },
      { prepare: (created) => (events = recordEvents(registryOf(created))) },
    );
    const registry = registryOf(app);
    const start = Date.now();
    await registry.get('redis');
    await nextEvent(registry, 'connected', 'redis');
    await registry.get('redis');
    await app.close();

    expect(events.map(describeEvent)).toEqual([
      'creating redis',
      'created redis',
      'connected redis',
      'closing redis',
      'closed redis',
    ]);
    const times = events.map(({ at }) => at.getTime());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(start);
    const durations = events.flatMap((event) => ('duration' in event ? [event.duration] : []));
    expect(durations).toHaveLength(3);
    expect(Math.min(...durations)).toBeGreaterThanOrEqual(0);
  });

  it('names the class that had the client built, and each class that shares it once', async () => {
    const app = await bootApp({ imports: [clientsOf({ redis: redisClient(server.url) })] });
    const events = recordEvents(registryOf(app));
    const { ModuleRef } = await import('@nestjs/core');
    const moduleRef = app.get(ModuleRef);
    const instances = [await moduleRef.create(Links), await moduleRef.create(Stats), await moduleRef.create(Links)];

    expect(new Set(instances.map(({ redis }) => redis)).size).toBe(1);
    expect(events.map(describeEvent).filter((event) => !event.startsWith('connected'))).toEqual([
      'creating redis Links',
      'created redis Links',
      'injected redis Links',
      'injected redis Stats',
    ]);
    expect(registryOf(app).status()).toMatchObject([{ consumers: ['Links', 'Stats'] }]);
  });

  it('publishes one error when the first connection fails, with the reason', async () => {
    const redis = redisClient({ host: server.host, port: await freePort(), retryStrategy: () => 60_000 });
    const app = await bootApp({ imports: [clientsOf({ redis })] });
    const events = recordEvents(registryOf(app));
    const client = (await registryOf(app).get('redis')) as Redis;
    await new Promise((resolve) => client.once('reconnecting', resolve));
    await turn();

    expect(events.map(describeEvent)).toEqual(['creating redis', 'created redis', 'error redis']);
    expect(registryOf(app).status()[0]?.lastError?.message).toContain('ECONNREFUSED');
  });

  it('completes when all clients are closed', async () => {
    const app = await bootApp({ imports: [clientsOf({ redis: redisClient(server.url) })], providers: [Links] });
    const all = lastValueFrom(registryOf(app).events$.pipe(toArray()));
    await app.close();
    expect((await all).map(({ type }) => type).slice(-2)).toEqual(['closing', 'closed']);
  });

  it('publishes an error when the server goes away, and none once it is back', async () => {
    const doomed = await startRedisServer();
    onTestFinished(() => doomed.close());
    const redis = redisClient({ url: doomed.url, retryStrategy: () => 1 });
    const app = await bootApp({ imports: [clientsOf({ redis })], providers: [Links] });
    await app.get(Links).redis.ping();
    const registry = registryOf(app);

    const lost = nextEvent(registry, 'error', 'redis');
    await doomed.kill();
    const { error } = await lost;
    expect(error).toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|ECONNREFUSED)$/) });
    expect(registry.status()).toMatchObject([{ state: 'open', lastError: { name: 'Error' } }]);

    await doomed.restart();
    await app.get(Links).redis.ping();
    const events = recordEvents(registry);
    await app.get(Links).redis.ping();
    await app.close();
    expect(events.map(describeEvent)).toEqual(['closing redis', 'closed redis']);
  });
});
