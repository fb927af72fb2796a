import { Controller, Get, type INestApplication } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import type { Cluster, Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { ClientsHealthIndicator } from '../../src/terminus/index.js';
import { bootApp, clientsOf, registryOf, request } from '../support/boot-app.js';
import { describeWithRedis } from '../support/redis-server.js';
import { milliseconds, record } from './support/record.js';
import { KIND_NAMES, PATIENCES, REDIS_KINDS } from './support/redis-kinds.js';

const TIMEOUT = 300;
/** Milliseconds that an answer may take to reach whoever asked: timers are late, and HTTP takes its time. */
const DELIVERY = 150;

@Controller()
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly clients: ClientsHealthIndicator,
  ) {}

  @Get('health')
  @HealthCheck()
  check() {
    return this.health.check([() => this.clients.isHealthy('clients', { timeout: TIMEOUT })]);
  }
}

const STATES = ['ready, then frozen', 'frozen before it connects', 'frozen with commands in flight', 'down'] as const;

describeWithRedis('health of a client whose server does not answer', () => {
  let asked = 0;
  const slowest = { check: 0, health: 0 };

  test.each(KIND_NAMES.flatMap((kind) => STATES.map((state) => [kind, state] as const)))(
    'is told within the timeout: %s, %s',
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
      const app = await bootApp(
        {
          imports: [clientsOf(clients), TerminusModule],
          controllers: [HealthController],
          providers: [ClientsHealthIndicator],
        },
        { listen: true },
      );
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
