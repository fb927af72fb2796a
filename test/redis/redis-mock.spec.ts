import { EventEmitter } from 'node:events';
import { Test } from '@nestjs/testing';
import { describe, expect, it, vi } from 'vitest';
import { getClientToken } from '../../src/clients.tokens.js';
import { ClientRegistry, ClientsModule } from '../../src/index.js';
import { redisClient, redisCluster, redisDuplicate } from '../../src/redis/index.js';

const URL = 'redis://localhost:6379';

/** What a mock of ioredis has in common with it: commands and events, and none of what ioredis keeps for itself. */
class RedisMock extends EventEmitter {
  status = 'ready';
  readonly options = {};

  ping(done: (error: null, reply: string) => void): void {
    done(null, 'PONG');
  }

  duplicate(): RedisMock {
    return new RedisMock();
  }

  disconnect(): void {
    this.status = 'end';
    this.emit('close');
    this.emit('end');
  }
}

class ClusterMock extends RedisMock {
  nodes(): RedisMock[] {
    return [];
  }

  cluster(_: 'INFO', done: (error: null, reply: string) => void): void {
    done(null, 'cluster_state:ok');
  }
}

vi.mock('ioredis', () => ({ Redis: RedisMock, Cluster: ClusterMock }));

describe('a mock in place of ioredis', () => {
  it.each([
    ['redisClient()', { client: redisClient(URL) }],
    [
      'redisClient() with credentials',
      { client: redisClient({ url: URL, credentials: () => Promise.resolve({ password: 'p4ss-w0rd' }) }) },
    ],
    [
      'redisCluster() with credentials',
      {
        client: redisCluster({
          nodes: [{ host: 'localhost', port: 6379 }],
          credentials: () => Promise.resolve({ password: 'p4ss-w0rd' }),
        }),
      },
    ],
    ['redisDuplicate()', { redis: redisClient(URL), client: redisDuplicate() }],
  ])('is built, checked and closed as the client of %s', async (_, clients) => {
    const app = await Test.createTestingModule({ imports: [ClientsModule.forRoot({ clients })] }).compile();
    const registry = app.get(ClientRegistry);
    const ends: string[] = [];
    registry.events$.subscribe(({ type }) => type.startsWith('close') && ends.push(type));
    await app.init();
    const client = await app.resolve<RedisMock>(getClientToken('client'));

    expect(client).toBeInstanceOf(RedisMock);
    expect(await registry.check('client')).toMatchObject({ status: 'up' });
    await app.close();
    expect(client.status).toBe('end');
    expect(new Set(ends)).toEqual(new Set(['closed']));
  });
});
