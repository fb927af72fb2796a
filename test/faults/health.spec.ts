import { ListTablesCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { INestApplication } from '@nestjs/common';
import type { Cluster, Redis } from 'ioredis';
import { afterAll, describe, expect, it } from 'vitest';
import { dynamoDBClient } from '../../src/dynamodb/index.js';
import { bootApp, clientsOf, recordEvents, registryOf, rejection, request } from '../support/boot-app.js';
import { describeWithRedis, freePort } from '../support/redis-server.js';
import { startDynamoDBEndpoint } from './support/dynamodb-endpoint.js';
import { healthModule } from './support/health-module.js';
import { milliseconds, record } from './support/record.js';
import { KIND_NAMES, PATIENCES, REDIS_KINDS } from './support/redis-kinds.js';

const TIMEOUT = 300;
/** Milliseconds that an answer may take beyond its deadline, on a busy machine. Without a deadline it would never come. */
const DELIVERY = 1_500;

const STATES = ['ready, then frozen', 'frozen before it connects', 'frozen with commands in flight', 'down'] as const;

describeWithRedis('health of a client whose server does not answer', () => {
  let asked = 0;
  const slowest = { check: 0, health: 0 };

  it.each(KIND_NAMES.flatMap((kind) => STATES.map((state) => [kind, state] as const)))(
    'is reported within the timeout: %s, %s',
    async (kind, state) => {
      await using redis = await REDIS_KINDS[kind]();
      const early = state === 'frozen before it connects';
      if (early) for (const server of redis.servers) server.freeze();
      const clients = Object.fromEntries(
        PATIENCES.map((patience, index) => [
          `redis-${index}`,
          redis.define(patience, { eager: true, closeTimeout: 100, connect: early ? 'use' : 'bootstrap' }),
        ]),
      );
      const app = await bootApp({ imports: [clientsOf(clients), healthModule(TIMEOUT)] }, { listen: true });
      const registry = registryOf(app);
      const names = Object.keys(clients);
      if (!early) {
        await expect
          .poll(async () => (await Promise.all(names.map((name) => registry.check(name)))).map(({ status }) => status))
          .toEqual(names.map(() => 'up'));
        for (const server of redis.servers) {
          if (state === 'down') await server.kill();
          else server.freeze();
        }
      }
      if (state === 'frozen with commands in flight') {
        for (const name of names) {
          const client = registry.peek(name) as Redis | Cluster;
          for (let index = 0; index < 100; index += 1) client.get(`key:${index}`).catch(() => {});
        }
      }

      await ask(app); // loads what the first request needs

      const checks = await Promise.all(
        names.flatMap((name) => Array.from({ length: 10 }, () => timed(registry.check(name, { timeout: TIMEOUT })))),
      );
      for (const { duration, value } of checks) {
        expect(value.status).toBe('down');
        expect(value.error?.message).toBeTruthy();
        expect(duration).toBeLessThan(TIMEOUT + DELIVERY);
      }
      const answers = [
        ...(await Promise.all(Array.from({ length: 20 }, () => ask(app)))),
        await ask(app),
        await ask(app),
      ];
      for (const { duration, value } of answers) {
        expect(value).toBe(503);
        expect(duration).toBeLessThan(TIMEOUT + DELIVERY);
      }
      asked += checks.length + answers.length;
      slowest.check = Math.max(slowest.check, ...checks.map(({ duration }) => duration));
      slowest.health = Math.max(slowest.health, ...answers.map(({ duration }) => duration));
      for (const server of redis.servers) server.thaw();
    },
  );

  afterAll(() =>
    record(
      'health',
      `${asked.toLocaleString('en')} questions, many at once, with a timeout of ${TIMEOUT} ms: the slowest registry.check() after ${milliseconds(slowest.check)}, the slowest /health after ${milliseconds(slowest.health)}, as its client sees it; all "down"`,
    ),
  );
});

/**
 * Milliseconds by which a close after checks may be slower, on a busy machine. One that waited for the checks would take
 * closeTimeout.
 */
const SAME = 1_000;

describeWithRedis('closing after checks that a frozen server has not answered', () => {
  it.each(KIND_NAMES)('takes as long as without a check: %s', async (kind) => {
    await using redis = await REDIS_KINDS[kind]();
    const close = async (checks: number): Promise<number> => {
      const app = await bootApp({
        imports: [clientsOf({ redis: redis.define({}, { eager: true, closeTimeout: 10_000 }) })],
      });
      const registry = registryOf(app);
      await expect.poll(async () => (await registry.check('redis')).status).toBe('up');
      for (const server of redis.servers) server.freeze();
      for (let round = 0; round < checks; round += 10) {
        const asked = Array.from({ length: 10 }, () => registry.check('redis', { timeout: 50 }));
        expect((await Promise.all(asked)).every(({ status }) => status === 'down')).toBe(true);
      }
      const { duration } = await timed(app.close());
      for (const server of redis.servers) server.thaw();
      return duration;
    };

    const without = await close(0);
    const after = await close(50);
    expect(after - without).toBeLessThan(SAME);
    record('frozenProbe', `${kind}: ${milliseconds(without)} without a check, ${milliseconds(after)} after 50`);
  });
});

const TROUBLES = [
  ['refuses', /^connect ECONNREFUSED 127\.0\.0\.1:\d+$/],
  ['resets connections', /ECONNRESET|socket hang up|aborted/],
  ['is silent', /^no answer within 1000 ms$/],
] as const;

describe('health of a DynamoDB client whose endpoint is in trouble', () => {
  let asked = 0;

  it.each(TROUBLES)('is seen by a check, and by no other sign: %s', async (trouble, reason) => {
    await using endpoint = await startDynamoDBEndpoint();
    const { proxy, clientConfig } = endpoint;
    const clients = { dynamodb: dynamoDBClient({ ...clientConfig, maxAttempts: 2 }, { eager: true }) };
    const app = await bootApp({ imports: [clientsOf(clients)] });
    const registry = registryOf(app);
    const client = (await registry.get('dynamodb')) as DynamoDBClient;
    expect(await registry.check('dynamodb')).toMatchObject({ status: 'up' });
    const events = recordEvents(registry);
    const over = new AbortController();
    if (trouble === 'refuses') await proxy.refuse();
    else proxy.freeze();
    if (trouble === 'resets connections') {
      void (async () => {
        for (;;) {
          await proxy.connected(1);
          if (over.signal.aborted) return;
          proxy.cut();
          await proxy.disconnected();
        }
      })();
    }

    const healths = await Promise.all(Array.from({ length: 10 }, () => registry.check('dynamodb')));
    if (trouble !== 'is silent') await rejection(client.send(new ListTablesCommand({})));
    const [status] = registry.status();
    over.abort();
    await proxy.accept();
    proxy.thaw();
    const recovered = await registry.check('dynamodb');

    for (const { status: found, error } of healths) {
      expect(found).toBe('down');
      expect(error?.message).toMatch(reason);
    }
    expect(status).toMatchObject({ name: 'dynamodb', state: 'open' });
    expect(status).not.toHaveProperty('lastError');
    expect(events).toEqual([]);
    expect(recovered).toMatchObject({ status: 'up' });
    asked += healths.length;
  });

  it('fails bootstrap with the reason, if it waits until ready', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const options = { endpoint, region: 'eu-west-1', credentials };
    const ready = { eager: true, waitUntilReady: true, createTimeout: TIMEOUT };
    const failed = await rejection(bootApp({ imports: [clientsOf({ dynamodb: dynamoDBClient(options, ready) })] }));
    expect(failed).toMatchObject({ code: 'CLIENTS_CREATE_TIMEOUT' });
    expect(failed.message).toMatch(/ECONNREFUSED|no answer within/);
  });

  afterAll(() =>
    record(
      'dynamodbHealth',
      `refused, reset and silent: ${asked} checks, all "down" with the reason, within 1 s; no error event and no lastError, for there is no connection to lose; "up" when it is back`,
    ),
  );
});

function ask(app: INestApplication): Promise<{ duration: number; value: number }> {
  return timed(
    request(app, '/health').then(async (response) => {
      await response.arrayBuffer();
      return response.status;
    }),
  );
}

async function timed<T>(promise: Promise<T>): Promise<{ duration: number; value: T }> {
  const start = performance.now();
  const value = await promise;
  return { duration: performance.now() - start, value };
}
