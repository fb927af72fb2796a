import { execFileSync } from 'node:child_process';
import type { Cluster, Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import type { ClientDefinition } from '../../src/index.js';
import { redisClient, redisCluster, type RedisClientOptions } from '../../src/redis/index.js';
import { bootApp, clientsOf, nextEvent, registryOf, turn } from '../support/boot-app.js';
import { describeWithRedis, startRedisCluster, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { titledOptions } from '../support/titled.js';

const TIMEOUT = 200;
/** Milliseconds. Less than any deadline that closing could wait for: closeTimeout is longer in these tests. */
const AT_ONCE = 1_500;
const CLOSE_TIMEOUT = 20_000;

async function boot(definition: ClientDefinition<Redis> | ClientDefinition<Cluster>) {
  const app = await bootApp({ imports: [clientsOf({ redis: definition })] });
  const registry = registryOf(app);
  const client = await registry.get('redis');
  return { app, registry, client, check: (timeout = 2_000) => registry.check('redis', { timeout }) };
}

/** How often a server has been sent a command. */
async function callsOf(server: RedisServer, command: string): Promise<number> {
  const stats = await server.command('INFO', 'commandstats');
  return Number(new RegExp(`cmdstat_${command.replace('|', '\\|')}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

/** The promises of the health check, which hold whatever version of ioredis the file that calls this has put in place. */
export function testHealth(version: string): void {
  describeWithRedis(`the health of a Redis client, ${version}`, () => {
    it('is up for a user who may not PING, and bootstrap that waits for it succeeds', async () => {
      await using server = await startRedisServer();
      await server.command('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '+@read', '+@write', '+info', '-ping');
      const { check } = await boot(
        redisClient(
          { port: server.port, username: 'app', password: 'pw' },
          { waitUntilReady: true, createTimeout: 5_000 },
        ),
      );
      expect(await check()).toMatchObject({ status: 'up' });
      expect(await callsOf(server, 'ping')).toBe(0); // refused, so not counted as a call that was made
    });

    it.each(['PING', 'INFO'])('is up where %s does not exist, as behind some proxies', async (command) => {
      await using server = await startRedisServer({ args: ['--rename-command', command, ''] });
      const { check } = await boot(
        redisClient({ port: server.port, enableReadyCheck: false }, { waitUntilReady: true }),
      );
      expect(await check()).toMatchObject({ status: 'up' });
    });

    it('is down while the login is refused, without and with the ready check', async () => {
      await using server = await startRedisServer({ password: 'right' });
      for (const enableReadyCheck of [true, false]) {
        for (const options of [{}, { password: 'wrong' }]) {
          const { app, check } = await boot(redisClient({ port: server.port, enableReadyCheck, ...options }));
          const health = await check();
          expect(health).toMatchObject({
            status: 'down',
            error: { message: expect.stringMatching(/NOAUTH|WRONGPASS|status is/) },
          });
          await app.close();
        }
      }
    });

    it('is down when the login has been revoked on the open connection, and the server says NOAUTH', async () => {
      await using server = await startRedisServer();
      const { client, check } = await boot(redisClient({ port: server.port }));
      expect(await check()).toMatchObject({ status: 'up' });
      await server.command('CONFIG', 'SET', 'requirepass', 'late');
      await (client as Redis).call('RESET').catch(() => {}); // logs out, as far as the server goes
      expect(await check()).toMatchObject({ status: 'down', error: { message: expect.stringContaining('NOAUTH') } });
    });

    it('is down while a replica has lost its primary and serves no stale data', async () => {
      await using server = await startRedisServer();
      const { check } = await boot(redisClient({ port: server.port, enableReadyCheck: false }));
      expect(await check()).toMatchObject({ status: 'up' });
      await server.command('CONFIG', 'SET', 'replica-serve-stale-data', 'no');
      await server.command('REPLICAOF', '127.0.0.1', '1');
      expect(await check()).toMatchObject({
        status: 'down',
        error: { message: expect.stringContaining('MASTERDOWN') },
      });
      await server.command('REPLICAOF', 'NO', 'ONE');
      expect(await check()).toMatchObject({ status: 'up' });
    });

    it('is down while a script keeps the server busy', async () => {
      await using server = await startRedisServer({ args: ['--busy-reply-threshold', '50'] });
      const { check } = await boot(redisClient({ port: server.port }));
      expect(await check()).toMatchObject({ status: 'up' });
      const script = server.command('EVAL', 'while true do end', '0').catch(String);
      await expect.poll(() => server.command('GET', 'a').catch(String)).toMatch('BUSY');
      expect(await check()).toMatchObject({ status: 'down', error: { message: expect.stringContaining('BUSY') } });
      await server.command('SCRIPT', 'KILL');
      await script;
      expect(await check()).toMatchObject({ status: 'up' });
    });

    it('is down while the server cannot save its data, and so refuses writes', async () => {
      await using server = await startRedisServer();
      const { check } = await boot(redisClient({ port: server.port }));
      expect(await check()).toMatchObject({ status: 'up' });
      await server.command('CONFIG', 'SET', 'save', '3600 1');
      await server.command('CONFIG', 'SET', 'rdb-key-save-delay', '30000000');
      await server.command('SET', 'a', '1');
      await server.command('BGSAVE');
      const saving = Number(execFileSync('pgrep', ['-P', String(server.pid)], { encoding: 'utf8' }));
      process.kill(saving, 'SIGKILL');
      await expect.poll(() => server.command('SET', 'a', '2').catch(String)).toMatch('MISCONF');
      expect(await check()).toMatchObject({ status: 'down', error: { message: expect.stringContaining('MISCONF') } });
    });

    it('is down while the server loads its data', async () => {
      const slowly = ['--key-load-delay', '20000', '--loading-process-events-interval-bytes', '1024'];
      await using server = await startRedisServer({ args: slowly });
      for (let index = 0; index < 100; index += 1) await server.command('SET', `key:${index}`, 'x'.repeat(100));
      await server.command('SAVE');
      const { check } = await boot(
        redisClient({ port: server.port, enableReadyCheck: false, retryStrategy: () => 20 }),
      );
      const restarted = server.restart(); // is over when the data is there
      await expect
        .poll(async () => (await check()).error?.message, { timeout: 5_000, interval: 20 })
        .toMatch('LOADING');
      await restarted;
      await expect.poll(async () => (await check()).status).toBe('up');
    });

    it('is down as soon as the connection is lost while it is asked, and up again with the next one', async () => {
      await using server = await startRedisServer();
      await using proxy = await startTcpProxy(server);
      const { registry, check } = await boot(redisClient({ port: proxy.port, retryStrategy: () => 50 }));
      await check();
      proxy.holdReplies();
      const asked = await callsOf(server, 'ping');
      const health = check(CLOSE_TIMEOUT);
      while ((await callsOf(server, 'ping')) === asked) await turn();
      await proxy.refuse(); // ioredis keeps the PING, to send it again
      expect(await health).toMatchObject({ status: 'down', error: { message: expect.stringContaining('was lost') } });
      expect(await check(CLOSE_TIMEOUT)).toMatchObject({ status: 'down' });
      proxy.thaw();
      const back = nextEvent(registry, 'connected');
      await proxy.accept();
      await back;
      expect(await check()).toMatchObject({ status: 'up' });
    });

    it('is checked with one PING at a time, however often it is asked for', async () => {
      await using server = await startRedisServer();
      await using proxy = await startTcpProxy(server);
      const { check } = await boot(redisClient({ port: proxy.port }));
      expect(await check()).toMatchObject({ status: 'up' });
      const before = await callsOf(server, 'ping');
      proxy.holdReplies();
      for (let round = 0; round < 5; round += 1) {
        const answers = await Promise.all(Array.from({ length: 10 }, () => check(20)));
        expect(answers.every(({ status }) => status === 'down')).toBe(true);
      }
      const late = check(10_000);
      proxy.thaw();
      expect(await late).toMatchObject({ status: 'up' });
      expect((await callsOf(server, 'ping')) - before).toBe(1);
    });

    it.each(titledOptions<RedisClientOptions>([{ commandTimeout: 50 }, { enableAutoPipelining: true }]))(
      'is asked with one PING at a time with %s too',
      async (_, options) => {
        await using server = await startRedisServer();
        await using proxy = await startTcpProxy(server);
        const { check } = await boot(redisClient({ port: proxy.port, ...options }));
        expect(await check()).toMatchObject({ status: 'up' });
        const before = await callsOf(server, 'ping');
        proxy.holdReplies();
        for (let round = 0; round < 5; round += 1) expect(await check(100)).toMatchObject({ status: 'down' });
        proxy.thaw();
        await expect.poll(async () => (await check()).status).toBe('up');
        expect((await callsOf(server, 'ping')) - before).toBeLessThanOrEqual(2); // the held one, and one after the thaw
      },
    );

    it.each(
      titledOptions<RedisClientOptions>([
        {},
        { enableAutoPipelining: true },
        { enableReadyCheck: false },
        { maxRetriesPerRequest: null },
      ]),
    )(
      'does not delay closing: with a frozen server it takes as long as without a check, with %s',
      async (_, options) => {
        await using server = await startRedisServer();
        const { app, client, check } = await boot(
          redisClient({ port: server.port, ...options }, { closeTimeout: CLOSE_TIMEOUT }),
        );
        await check();
        server.freeze();
        for (let round = 0; round < 3; round += 1) expect(await check(TIMEOUT)).toMatchObject({ status: 'down' });
        const start = performance.now();
        await app.close();
        expect(performance.now() - start).toBeLessThan(AT_ONCE);
        expect((client as Redis).status).toBe('end');
      },
    );

    it('waits at its close for a PING that the application has sent itself', async () => {
      await using server = await startRedisServer();
      await using proxy = await startTcpProxy(server);
      const { app, client, check } = await boot(redisClient({ port: proxy.port }));
      await check();
      proxy.holdReplies();
      const own = (client as Redis).ping();
      expect(await check(20)).toMatchObject({ status: 'down' });
      const closed = app.close();
      proxy.thaw();
      expect(await own).toBe('PONG');
      await closed;
    });

    it("is the result of the application's own check, in place of the PING", async () => {
      await using server = await startRedisServer();
      const definition = redisClient(
        { port: server.port },
        { check: (redis) => redis.set('health', '1', 'EX', 10), closeTimeout: 1_000 },
      );
      const { check } = await boot(definition);
      expect(await check()).toMatchObject({ status: 'up' });
      expect(await server.command('GET', 'health')).toBe('1');
      expect(await callsOf(server, 'ping')).toBe(0);
      await server.command('REPLICAOF', '127.0.0.1', '1');
      expect(await check()).toMatchObject({ status: 'down', error: { message: expect.stringContaining('READONLY') } });
    });
  });

  describeWithRedis(`the health of a cluster client, ${version}`, () => {
    it('is up for a user who may not ask for CLUSTER INFO', async () => {
      await using cluster = await startRedisCluster();
      for (const server of cluster.primaries) {
        await server.command('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '+@all', '-cluster|info');
      }
      const { check } = await boot(
        redisCluster(
          { nodes: cluster.nodes, enableReadyCheck: false, redisOptions: { username: 'app', password: 'pw' } },
          { waitUntilReady: true },
        ),
      );
      expect(await check()).toMatchObject({ status: 'up' });
    });

    it('does not delay closing, with every node frozen', async () => {
      await using cluster = await startRedisCluster();
      const { app, client, check } = await boot(
        redisCluster({ nodes: cluster.nodes }, { closeTimeout: CLOSE_TIMEOUT }),
      );
      expect(await check()).toMatchObject({ status: 'up' });
      for (const server of cluster.primaries) server.freeze();
      onTestFinished(() => cluster.primaries.forEach((server) => server.thaw()));
      for (let round = 0; round < 3; round += 1) expect(await check(TIMEOUT)).toMatchObject({ status: 'down' });
      const start = performance.now();
      await app.close();
      expect(performance.now() - start).toBeLessThan(AT_ONCE);
      expect((client as Cluster).status).toBe('end');
    });

    it("is the result of the application's own check, in place of CLUSTER INFO", async () => {
      await using cluster = await startRedisCluster();
      const { check } = await boot(
        redisCluster({ nodes: cluster.nodes }, { check: (redis: Cluster) => redis.set('health', '1') }),
      );
      expect(await check()).toMatchObject({ status: 'up' });
    });
  });
}
