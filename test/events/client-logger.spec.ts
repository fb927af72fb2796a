import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { InjectClient, type ClientRegistry } from '../../src/index.js';
import { InjectRedis, redisClient } from '../../src/redis/index.js';
import { bootApp, clientsOf, nextEvent, registryOf, rejection } from '../support/boot-app.js';
import { Journal, type FakeClient } from '../support/journal.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { describeWithRedis, startRedisServer } from '../support/redis-server.js';

const MINUTE = 60_000;

@Injectable()
class Links {
  constructor(@InjectClient('a') readonly client: unknown) {}
}

@Injectable()
class Stats {
  constructor(@InjectClient('a') readonly client: unknown) {}
}

/** The library's lines, without durations, which differ from run to run, and without Nest's context and stack. */
function linesOf(logger: RecordingLogger): string[] {
  return logger.ownLines.map((line) =>
    line.replaceAll(/\b\d+ ms/g, 'N ms').replace(/( undefined)? ClientsModule$/, ''),
  );
}

/** Makes `performance.now()` stand still until it is moved. */
function stopClock(): { forward(ms: number): void } {
  let now = Math.ceil(performance.now()); // whole, so that a minute later is not a hair less than a minute
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  return { forward: (ms) => void (now += ms) };
}

function listen(client: FakeClient, report: (error: unknown) => void): void {
  client.on('error', report);
}

function fail(): never {
  throw new Error('no licence for redis://app:hunter2@db.internal');
}

function never(): Promise<void> {
  return new Promise(() => {});
}

interface TroubledApp {
  readonly a: FakeClient;
  readonly b: FakeClient;
  readonly registry: ClientRegistry;
  /** The lines about trouble. */
  readonly troubles: () => string[];
}

async function bootTroubled(): Promise<TroubledApp> {
  const logger = new RecordingLogger();
  const journal = new Journal();
  const clients = { a: journal.client('a', { onError: listen }), b: journal.client('b', { onError: listen }) };
  const registry = registryOf(await bootApp({ imports: [clientsOf(clients)] }, { logger }));
  return {
    a: (await registry.get('a')) as FakeClient,
    b: (await registry.get('b')) as FakeClient,
    registry,
    troubles: () => linesOf(logger).filter((line) => line.startsWith('warn: ')),
  };
}

describe('the log', () => {
  it('has a line a minute about clients that never get ready, and one about how the last has closed', async () => {
    const logger = new RecordingLogger();
    let broken = true;
    const a = new Journal().client(
      'a',
      { check: () => (broken ? fail() : undefined), close: fail, destroy: fail },
      { waitUntilReady: true, createTimeout: 1 },
    );
    const registry = registryOf(await bootApp({ imports: [clientsOf({ a })] }, { logger }));
    for (let build = 0; build < 20; build += 1) await rejection(registry.get('a'));
    const failed = linesOf(logger).map((line) => line.replace(/:.*/, '').replace(/ (in|after) N ms/, ''));
    expect(failed.toSorted()).toEqual(['error', 'error', 'log', 'log']);
    broken = false;
    await registry.get('a');
    await rejection(registry.close());
    expect(linesOf(logger).filter((line) => line.includes('not closed gracefully'))).toHaveLength(2);
  });

  it('does not take the connection of a new build for one that is back', async () => {
    const logger = new RecordingLogger();
    let isLost = true;
    const a = new Journal().client(
      'a',
      {
        onConnection: (_, report) => {
          report('connected');
          if (isLost) report('disconnected');
        },
        check: () => (isLost ? fail() : undefined),
      },
      { waitUntilReady: true, createTimeout: 1 },
    );
    const registry = registryOf(await bootApp({ imports: [clientsOf({ a })] }, { logger }));
    await rejection(registry.get('a'));
    isLost = false;
    const connected = nextEvent(registry, 'connected', 'a');
    await registry.get('a');
    await connected;
    const lines = linesOf(logger);
    expect(lines.filter((line) => line.includes('lost its connection'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('connected again'))).toEqual([]);
  });

  it('has a line when a client is created, connected and closed, each with its duration, and none for one that is not built', async () => {
    const logger = new RecordingLogger();
    const journal = new Journal();
    const clients = { a: journal.client('a'), unused: journal.client('unused') };
    const root = { imports: [clientsOf(clients)], providers: [Links, Stats] };
    const app = await bootApp(root, { logger });
    await app.close();

    expect(linesOf(logger)).toEqual([
      'log: Client "a" created in N ms for Links',
      'log: Client "a" connected in N ms',
      'log: Client "a" closed in N ms',
    ]);
  });

  it('has no line about a client that nobody uses', async () => {
    const logger = new RecordingLogger();
    const app = await bootApp({ imports: [clientsOf({ a: new Journal().client('a') })] }, { logger });
    await app.close();
    expect(linesOf(logger)).toEqual([]);
  });

  it('names no class for a client that the registry was asked for', async () => {
    const logger = new RecordingLogger();
    const app = await bootApp({ imports: [clientsOf({ a: new Journal().client('a') })] }, { logger });
    await registryOf(app).get('a');
    expect(linesOf(logger)[0]).toBe('log: Client "a" created in N ms');
  });

  it('rounds durations to milliseconds', async () => {
    const logger = new RecordingLogger();
    const clock = stopClock();
    const journal = new Journal();
    const create = (): FakeClient => {
      clock.forward(12.345);
      return journal.build('a');
    };
    const app = await bootApp({ imports: [clientsOf({ a: journal.client('a', { create }) })] }, { logger });
    await registryOf(app).get('a');
    expect(logger.ownLines[0]).toBe('log: Client "a" created in 12 ms ClientsModule');
  });

  it('says why a client was not created', async () => {
    const logger = new RecordingLogger();
    const app = await bootApp({ imports: [clientsOf({ a: new Journal().client('a', { create: fail }) })] }, { logger });
    await rejection(registryOf(app).get('a'));

    expect(linesOf(logger)).toEqual([
      'error: Client "a" not created after N ms: Client "a" could not be created: no licence for redis://***@db.internal',
    ]);
  });

  it('says when a client had to be closed by force', async () => {
    const logger = new RecordingLogger();
    const definition = new Journal().client('a', { close: never }, { closeTimeout: 20 });
    const app = await bootApp({ imports: [clientsOf({ a: definition })], providers: [Links] }, { logger });
    await app.close();

    expect(linesOf(logger).at(-1)).toBe(
      'error: Client "a" not closed gracefully after N ms: close() did not end within N ms; it was destroyed by force',
    );
  });

  it('has one line when a client cannot be closed', async () => {
    const logger = new RecordingLogger();
    const definition = new Journal().client('a', { close: () => Promise.reject(new Error('stuck')) });
    const app = await bootApp({ imports: [clientsOf({ a: definition })], providers: [Links] }, { logger });
    await app.close();
    expect(linesOf(logger).filter((line) => line.startsWith('error: '))).toEqual([
      expect.stringMatching(/"a" not closed gracefully.*stuck/),
    ]);
  });

  describe('of a client in trouble', () => {
    it('has one line a minute at most, which counts the others', async () => {
      const { a, troubles } = await bootTroubled();
      const clock = stopClock();
      for (let second = 0; second < 60; second += 1) {
        a.emit('error', new Error(`refused ${second}`));
        clock.forward(1_000);
      }
      expect(troubles()).toEqual(['warn: Client "a" reports: refused 0']);

      a.emit('error', new Error('refused again'));
      expect(troubles()[1]).toBe('warn: Client "a" reports: refused again (and 59 more since the last such line)');

      clock.forward(MINUTE);
      a.emit('error', new Error('refused later'));
      expect(troubles().slice(2)).toEqual(['warn: Client "a" reports: refused later']);
    });

    it('has one line a minute at most when no use can build it', async () => {
      const logger = new RecordingLogger();
      const definition = new Journal().client('a', { create: fail });
      const registry = registryOf(await bootApp({ imports: [clientsOf({ a: definition })] }, { logger }));
      const clock = stopClock();
      for (let second = 0; second <= 60; second += 1) {
        await rejection(registry.get('a'));
        clock.forward(1_000);
      }
      expect(linesOf(logger)).toHaveLength(2);
      expect(linesOf(logger)[1]).toMatch(/^error: .* \(and 59 more since the last such line\)$/);
    });

    it('does not silence another client', async () => {
      const { a, b, troubles } = await bootTroubled();
      stopClock();
      for (const client of [a, b, a, b]) client.emit('error', new Error('refused'));
      expect(troubles()).toEqual(['warn: Client "a" reports: refused', 'warn: Client "b" reports: refused']);
    });

    it('leaves every error to events$', async () => {
      const { a, registry } = await bootTroubled();
      const errors: string[] = [];
      registry.events$.subscribe((event) => event.type === 'error' && errors.push(event.error.message));
      for (let index = 0; index < 100; index += 1) a.emit('error', new Error(`refused ${index}`));
      expect(errors).toHaveLength(100);
    });
  });
});

describeWithRedis('the log of a real Redis client', () => {
  @Injectable()
  class Cache {
    constructor(@InjectRedis() readonly redis: Redis) {}
  }

  it('stays short while the server is down, and holds no password', async () => {
    const server = await startRedisServer({ password: 'open-sesame-7' });
    onTestFinished(() => server.close());
    const logger = new RecordingLogger();
    const redis = redisClient({ url: server.url, retryStrategy: () => 1 });
    const app = await bootApp({ imports: [clientsOf({ redis })], providers: [Cache] }, { logger });
    await app.get(Cache).redis.ping();

    await server.kill();
    for (let failures = 0; failures < 50; failures += 1) await nextEvent(registryOf(app), 'error', 'redis');
    await server.restart();
    expect(await app.get(Cache).redis.ping()).toBe('PONG');
    await app.close();

    const lines = linesOf(logger);
    expect(lines).toHaveLength(6);
    expect(lines[0]).toBe('log: Client "redis" created in N ms for Cache');
    expect(lines[1]).toBe('log: Client "redis" connected in N ms');
    expect(lines[2]).toMatch(/^warn: Client "redis" lost its connection: /);
    expect(lines[3]).toMatch(/^warn: Client "redis" reports: connect ECONNREFUSED/);
    expect(lines[4]).toMatch(/^log: Client "redis" connected again after \d+\.\d s$/);
    expect(lines[5]).toBe('log: Client "redis" closed in N ms');
    expect(logger.lines.join('\n')).not.toContain('open-sesame-7');
  });
});
