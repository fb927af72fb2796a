import { expect, it } from 'vitest';
import { redisClient } from '../../src/redis/index.js';
import { turn } from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';
import { describeWithRedis, startRedisServer } from '../support/redis-server.js';
import { runInNode } from '../support/run-in-node.js';
import { testCredentials } from './credentials.suite.js';
import { drive } from './drive.js';

testCredentials('ioredis 6');

describeWithRedis('a client with credentials that expire', () => {
  it('lets the process end as soon as it has closed, connected or still asking', async () => {
    await using server = await startRedisServer({ password: 'token' });
    const { output, errors, code } = await runInNode(`
      import { Redactor } from './src/redaction/redactor.js';
      import { redisClient } from './src/redis/index.js';
      const expiresAt = new Date(Date.now() + 3_600_000);
      for (const credentials of [async () => ({ password: 'token', expiresAt }), () => new Promise(() => {})]) {
        const { blueprint } = redisClient({ port: ${server.port}, credentials });
        const client = await blueprint.create({ name: 'redis', dependencies: [], redactor: new Redactor() });
        const opened = new Promise((resolve) => client.once('ready', resolve).once('connecting', () => setTimeout(resolve, 100)));
        blueprint.driver.connect(client).catch(() => {});
        await opened;
        await blueprint.driver.close(client);
      }
      const closed = performance.now();
      process.on('exit', () => console.log(performance.now() - closed));
    `);
    expect(errors).toBe('');
    expect(code).toBe(0);
    expect(Number(output)).toBeLessThan(200);
  });

  it('does not wait at its end for a login that a frozen server has not answered', async () => {
    await using server = await startRedisServer({ password: 'token' });
    let asked = 0;
    const again = deferred();
    const credentials = async () => {
      asked += 1;
      if (asked === 2) {
        server.freeze();
        setImmediate(() => again.resolve());
      }
      return { password: 'token', expiresAt: new Date(Date.now() + 200) };
    };
    await using driven = await drive(redisClient({ port: server.port, credentials }));
    await driven.blueprint.driver.connect?.(driven.client);
    await again.promise;
    await turn(); // and AUTH has been sent
    expect(await driven.close()).toMatchObject({ forced: false, status: 'end', left: [] });
  });
});
