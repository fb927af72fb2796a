import { CACHE_MANAGER } from '@nestjs/cache-manager';
import { Controller, Get, type DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ThrottlerGuard } from '@nestjs/throttler';
import { describe, expect, it } from 'vitest';
import { nodeRedisClient } from '../../src/node-redis/index.js';
import { redisClient } from '../../src/redis/index.js';
import { startRedisServer } from '../../src/testing/index.js';
import { bootApp, clientsOf, request } from '../support/boot-app.js';
import { runExample } from './examples.js';

const PAGE = 'docs/neighbours.md';

@Controller()
class Pages {
  @Get()
  page(): string {
    return 'a page';
  }
}

/** Where no Redis listens. */
async function unusedUrl(): Promise<string> {
  const server = await startRedisServer();
  await server.close();
  return server.url;
}

// What holds while Redis is up is tested in test/neighbours.
describe(`${PAGE}, while Redis is down`, () => {
  it('fails requests that the throttler cannot count, with 500', async () => {
    const { RateLimitModule } = await runExample<{ RateLimitModule: DynamicModule }>(PAGE, 'RateLimitModule');
    const app = await bootApp(
      {
        imports: [clientsOf({ redis: redisClient({ url: await unusedUrl(), commandTimeout: 200 }) }), RateLimitModule],
        controllers: [Pages],
        providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
      },
      { listen: true },
    );

    expect((await request(app, '/')).status).toBe(500);
  });

  it('takes a failed read of the cache for a miss', async () => {
    const { AppCacheModule } = await runExample<{ AppCacheModule: DynamicModule }>(PAGE, 'AppCacheModule');
    const redis = nodeRedisClient({ url: await unusedUrl(), disableOfflineQueue: true });
    const app = await bootApp({ imports: [clientsOf({ redis }), AppCacheModule] });
    const cache = app.get<{ get(key: string): Promise<unknown> }>(CACHE_MANAGER);

    expect(await cache.get('a')).toBeUndefined();
  });
});
