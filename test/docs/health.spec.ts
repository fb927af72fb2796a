import { readFile } from 'node:fs/promises';
import { Injectable, type Type } from '@nestjs/common';
import type { NestApplicationContext } from '@nestjs/core';
import type { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { dynamoDBClient } from '../../src/dynamodb/index.js';
import { InjectRedis, redisClient } from '../../src/redis/index.js';
import { startRedisServer } from '../../src/testing/index.js';
import { bootApp, clientsOf, request } from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';
import { runExample } from './examples.js';

const PAGE = 'docs/health.md';

@Injectable()
class Handler {
  constructor(@InjectRedis() readonly redis: Redis) {}
}

/** An answer without what differs each time. */
function timeless(answer: string): unknown {
  return JSON.parse(answer, (key, value: unknown) => (key === 'duration' ? 'ms' : value));
}

describe(PAGE, () => {
  it('shows the whole answer', async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.close());
    const { HealthModule } = await runExample<{ HealthModule: Type }>(PAGE, 'HealthModule');
    const clients = { redis: redisClient(server.url), dynamodb: dynamoDBClient({ region: 'eu-west-1' }) };
    const app = await bootApp({ imports: [clientsOf(clients), HealthModule], providers: [Handler] }, { listen: true });
    await app.get(Handler).redis.ping();
    const [, shown = ''] = /^```json\n(.*?)^```$/ms.exec(await readFile(PAGE, 'utf8')) ?? [];

    expect(timeless(await (await request(app, '/health')).text())).toEqual(timeless(shown));
  });

  it('has Terminus fail readiness after SIGTERM, while requests are still served', async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.close());
    const { HealthModule } = await runExample<{ HealthModule: Type }>(PAGE, 'HealthModule', {
      'imports: [TerminusModule]': 'imports: [TerminusModule.forRoot({ gracefulShutdownTimeoutMs: 300 })]',
    });
    const asked = deferred();
    @Injectable()
    class Stopping {
      beforeApplicationShutdown(): void {
        asked.resolve();
      }
    }
    const app = await bootApp(
      { imports: [clientsOf({ redis: redisClient(server.url) }), HealthModule], providers: [Handler, Stopping] },
      { listen: true },
    );
    await app.get(Handler).redis.ping();
    const start = performance.now();
    const closing = (app as unknown as NestApplicationContext).close('SIGTERM'); // as the signal does
    await asked.promise;
    const response = await request(app, '/health/ready');

    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      status: 'shutting_down',
      details: { clients: { status: 'up', redis: { status: 'up' } } },
    });
    await closing;
    expect(performance.now() - start).toBeGreaterThan(290);
  });
});
