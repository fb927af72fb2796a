import type { Type } from '@nestjs/common';
import { expect, it } from 'vitest';
import { bootApp, registryOf } from '../support/boot-app.js';
import { describeWithRedis, startRedisServer } from '../support/redis-server.js';
import { runExample } from './examples.js';

const PAGE = 'docs/node-redis.md';

describeWithRedis(PAGE, () => {
  it('injects into each handler the clients that it names', async () => {
    await using server = await startRedisServer();
    const { VisitsModule, Visits } = await runExample<{
      VisitsModule: Type;
      Visits: Type<{ count(page: string): Promise<number> }>;
    }>(PAGE, 'VisitsModule', { 'redis://localhost:6379': server.url });
    const app = await bootApp(VisitsModule);

    expect(await app.get(Visits).count('home')).toBe(1);
    expect(await app.get(Visits).count('home')).toBe(2);
    expect(registryOf(app).status()).toMatchObject([
      { kind: 'node-redis', state: 'open', consumers: ['Visits'] },
      { kind: 'node-redis', state: 'open', consumers: ['Visits'] },
    ]);
    await app.close();
    await server.clients(0);
  });
});
