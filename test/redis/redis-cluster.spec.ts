import { Cluster } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { redisCluster, type RedisClusterOptions } from '../../src/redis/index.js';
import { describeWithRedis, startRedisCluster } from '../support/redis-server.js';
import { drive } from './drive.js';
import { titled } from '../support/titled.js';

describe('redisCluster()', () => {
  it('creates the Cluster of ioredis, which is not connected', async () => {
    const definition = redisCluster({
      nodes: [{ port: 6390 }],
      scaleReads: 'slave',
      redisOptions: { password: 'secret' },
    });
    expect(definition.kind).toBe('redis-cluster');
    await using driven = await drive(definition);
    expect(driven.client).toBeInstanceOf(Cluster);
    expect(driven.client.status).toBe('wait');
    expect(driven.client.options).toMatchObject({
      scaleReads: 'slave',
      lazyConnect: true,
      redisOptions: { password: 'secret', disconnectTimeout: 500 },
    });
  });

  const SECRET = 'hunter2';
  const LOGIN = async () => ({ password: 'p' });
  it.each(
    titled<[unknown, RegExp | undefined]>([
      [{ nodes: [{ host: 'localhost', port: 6379 }, 'redis://localhost:6380', 6381] }, undefined],
      [{ nodes: ['rediss://localhost'], redisOptions: { tls: {} } }, undefined],
      [undefined, /"nodes" must be an array of \{ host, port \} or URLs, and not an empty one/],
      [{ nodes: [] }, /"nodes" must/],
      [{ nodes: undefined }, /"nodes" must .*: the options say nodes: undefined; is a variable not set\?/],
      [{ nodes: ['redis://localhost:99999'] }, /"nodes\[0\]" must have a port from 1 to 65535/],
      [{ nodes: [`redis://:p%${SECRET}@localhost`] }, /"nodes\[0\]" has a "%"/],
      [{ nodes: [{ port: 1 }], credentials: LOGIN }, undefined],
      [{ nodes: [{ port: 1 }], credentials: LOGIN, redisOptions: { username: 'app' } }, undefined],
      [{ nodes: [{ port: 1 }], credentials: SECRET }, /"credentials" must be a function/],
      [
        { nodes: [{ port: 1 }], credentials: LOGIN, password: SECRET },
        /"credentials" and "password" both say how to log in/,
      ],
      [
        { nodes: [{ port: 1 }], credentials: LOGIN, redisOptions: { password: SECRET } },
        /"credentials" and "password" in "redisOptions" both say how to log in/,
      ],
      [
        { nodes: [{ port: 1 }, { port: 2, password: SECRET }], credentials: LOGIN },
        /"credentials" and "password" in "nodes\[1\]" both say how to log in/,
      ],
      [
        { nodes: [`redis://:${SECRET}@localhost`], credentials: LOGIN },
        /"credentials" and the password in "nodes\[0\]" both say how to log in/,
      ],
      [
        { nodes: [{ port: 1 }], redisOptions: { credentials: LOGIN } },
        /"credentials" stands in "redisOptions"; it belongs beside "nodes"/,
      ],
      [{ nodes: 'redis://localhost' }, /"nodes" must/],
      [{ nodes: [{}] }, /"nodes\[0\]" says neither "host" nor "port"/],
      [{ nodes: [{ port: 1 }, { port: '6379' }] }, /"nodes\[1\]" is wrong: "port" must be a whole number/],
      [{ nodes: [`http://:${SECRET}@localhost`] }, /"nodes\[0\]" must be a string that starts with redis/],
      [
        { nodes: [`rediss://:${SECRET}@localhost`] },
        /"nodes\[0\]" is a rediss:\/\/ URL; for TLS give redisOptions: \{ tls: \{\} \}/,
      ],
      [{ nodes: [null] }, /"nodes\[0\]" must be/],
      [{ nodes: [{ port: 1 }], url: `redis://:${SECRET}@localhost` }, /"url" belongs to redisClient\(\)/],
      [{ nodes: [{ port: 1 }], redisOptions: { password: 42 } }, /in "redisOptions", "password" must be a string/],
      [{ nodes: [{ port: 1 }], redisOptions: SECRET }, /"redisOptions" must be an object/],
      [{ nodes: [{ port: 1 }], enableOfflineQueue: 'yes' }, /"enableOfflineQueue" must be true or false/],
      [null, /not an object/],
    ]),
  )('finds in %s the problem %s', (_, options, expected) => {
    const problem = redisCluster(options as RedisClusterOptions).blueprint.findProblem({ fromFactory: false });
    if (expected) expect(problem).toMatch(expected);
    else expect(problem).toBeUndefined();
    expect(problem ?? '').not.toContain(SECRET);
  });
});

describeWithRedis('a cluster client', () => {
  it('connects, checks, and reports what is wrong with the cluster', async () => {
    await using cluster = await startRedisCluster();
    await using driven = await drive(redisCluster({ nodes: cluster.nodes }));
    const check = async () => driven.blueprint.driver.check?.(driven.client);
    await check(); // connects
    await driven.blueprint.driver.connect?.(driven.client);
    expect(await driven.client.set('a', 1)).toBe('OK');

    await cluster.primaries[0]?.command('CLUSTER', 'DELSLOTSRANGE', '0', '100');
    await cluster.primaries[1]?.command('CLUSTER', 'DELSLOTSRANGE', '0', '100');
    await cluster.primaries[2]?.command('CLUSTER', 'DELSLOTSRANGE', '0', '100');
    await expect.poll(() => check().catch(String), { timeout: 5_000 }).toMatch('does not serve every slot');

    await cluster.close();
    await driven.close();
    await expect(check()).rejects.toThrow('"end"');

    await using lost = await drive(redisCluster({ nodes: cluster.nodes }));
    await expect(lost.blueprint.driver.check?.(lost.client)).rejects.toThrow('Failed to refresh slots cache.');
    expect(lost.errors).toContainEqual(expect.objectContaining({ message: 'Failed to refresh slots cache.' }));
    await lost.close();
  });
});
