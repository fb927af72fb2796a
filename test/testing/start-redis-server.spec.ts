import { Redis } from 'ioredis';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { startRedisServer, type RedisServer } from '../../src/testing/index.js';
import { describeWithRedis } from '../support/redis-server.js';
import { runInNode } from '../support/run-in-node.js';

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function start(options?: Parameters<typeof startRedisServer>[0]): Promise<RedisServer> {
  const server = await startRedisServer(options);
  cleanUps.push(() => server.close());
  return server;
}

function client(server: RedisServer, options = {}): Redis {
  const redis = new Redis(server.url, options);
  redis.on('error', () => {});
  cleanUps.push(() => redis.disconnect());
  return redis;
}

/** Runs a script with a directory of its own for temporary files, and says what it leaves there. */
async function runWithDirectory(script: string) {
  const TMPDIR = await mkdtemp(join(tmpdir(), 'temporary-'));
  cleanUps.push(() => rm(TMPDIR, { recursive: true }));
  const { output, errors, code } = await runInNode(script, { env: { ...process.env, TMPDIR } });
  return { output, errors, code, left: await readdir(TMPDIR) };
}

/** Unlike `once`, this does not mind errors on the way. */
function end(redis: Redis): Promise<void> {
  return new Promise((resolve) => void (redis.status === 'end' ? resolve() : redis.once('end', resolve)));
}

describe('startRedisServer', () => {
  it('serves real clients over TCP, on a free loopback port', async () => {
    const server = await start();
    const other = await start();
    const redis = client(server);

    expect(server.url).toBe(`redis://127.0.0.1:${server.port}`);
    expect(other.port).not.toBe(server.port);
    await redis.set('greeting', 'hello');
    expect(await redis.get('greeting')).toBe('hello');
    expect(await client(other).get('greeting')).toBeNull();
    expect(await redis.quit()).toBe('OK');
  });

  it('knows what caches, rate limiters, queues and scripts use', async () => {
    const server = await start();
    const redis = client(server);

    expect(await redis.set('lock', 'a', 'EX', 10, 'NX')).toBe('OK');
    expect(await redis.set('lock', 'b', 'EX', 10, 'NX')).toBeNull();
    expect(await redis.ttl('lock')).toBeGreaterThan(8);
    await redis.hincrby('hash', 'field', 2);
    expect(await redis.hgetall('hash')).toEqual({ field: '2' });
    expect(await redis.multi().incr('n').incr('n').exec()).toEqual([
      [null, 1],
      [null, 2],
    ]);
    expect(await redis.eval('return redis.call("GET", KEYS[1])', 1, 'n')).toBe('2');
    await redis.zadd('set', 1, 'member');
    await redis.pfadd('visitors', 'a', 'b');
    expect(await redis.pfcount('visitors')).toBe(2);
    expect(await redis.scan('0', 'MATCH', 'ha*')).toEqual(['0', ['hash']]);
    await redis.select(15);
    expect(await redis.dbsize()).toBe(0);

    const popped = client(server).blpop('queue', 0);
    await redis.select(0);
    await redis.rpush('queue', 'job');
    expect(await popped).toEqual(['queue', 'job']);

    const subscriber = client(server);
    await subscriber.subscribe('news');
    const message = once(subscriber, 'message');
    await redis.publish('news', 'flash');
    expect(await message).toEqual(['news', 'flash']);
  });

  it('asks for the password, if it has one', async () => {
    const server = await start({ password: 'open sesame' });
    const right = client(server, { password: 'open sesame' });
    const wrong = client(server, { password: 'wrong', retryStrategy: () => null, maxRetriesPerRequest: 0 });

    expect(await right.ping()).toBe('PONG');
    await expect(wrong.ping()).rejects.toThrow('Connection is closed');
  });

  it('listens on the port that it is given, and rejects when that is taken', async () => {
    const first = await start();
    const { port } = first;
    await expect(startRedisServer({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first.close();

    expect((await start({ port })).port).toBe(port);
  });

  it('closes while clients are connected, one of them waiting in BLPOP', async () => {
    const server = await start();
    const idle = client(server, { retryStrategy: () => null });
    const waiting = client(server, { retryStrategy: () => null });
    const pop = waiting.blpop('queue', 0).catch((error: unknown) => error);
    await Promise.all([once(idle, 'ready'), once(waiting, 'ready')]);
    const ended = [idle, waiting].map(end);

    await server.close();
    await server.close();

    await Promise.all(ended);
    expect(await pop).toMatchObject({ message: 'Connection is closed.' });
    await expect(once(connect(server.port, server.host), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('is disposable', async () => {
    let redis: Redis;
    {
      await using server = await startRedisServer();
      redis = client(server, { retryStrategy: () => null });
      await redis.ping();
    }
    await end(redis);
    expect(redis.status).toBe('end');
  });
});

it('loads neither server package when imported, and leaves the process free to end after close', async () => {
  const run = await runInNode(`
    import { createRequire } from 'node:module';
    import { connect } from 'node:net';
    import { once } from 'node:events';
    
    import { startDynamoDBServer, startRedisServer } from './src/testing/index.js';
    const { cache } = createRequire(import.meta.url);
    // What js-redis-server has in this cache is its own copy of a CommonJS dependency.
    const names = ['dynalite', 'js-redis-server'];
    const loaded = () => names.filter((name) => Object.keys(cache).some((file) => file.includes('/' + name + '/')));
    const before = loaded();
    const servers = [await startRedisServer(), await startDynamoDBServer()];
    const after = loaded();
    for (const { host, port } of servers) await once(connect(port, host).on('error', () => {}), 'connect');
    await Promise.all(servers.map((server) => server.close()));
    console.log(JSON.stringify({ before, after }));
  `);

  expect(run).toMatchObject({ code: 0, errors: '' });
  expect(JSON.parse(run.output)).toEqual({ before: [], after: ['dynalite', 'js-redis-server'] });
});

describeWithRedis('startRedisServer with a binary', () => {
  const binary = 'redis-server';

  it('starts that program on a free loopback port, empty, and ends it', async () => {
    const server = await start({ binary });
    const redis = client(server, { retryStrategy: () => null });
    expect(server.url).toBe(`redis://127.0.0.1:${server.port}`);
    expect(await redis.info('server')).toMatch(/^redis_version:/m);
    expect(await redis.dbsize()).toBe(0);
    expect(await redis.config('GET', 'save')).toEqual(['save', '']);
    const { pid } = Object.fromEntries(
      (await redis.info('server')).split('\r\n').map((line) => line.replace('process_id', 'pid').split(':')),
    ) as { pid: string };
    await Promise.all([server.close(), server.close()]);
    await end(redis);
    expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH');
  });

  it('takes a password, which no list of processes shows', async () => {
    const password = 'se"cret \\-#1';
    const server = await start({ binary, password });
    await expect(client(server).get('a')).rejects.toThrow('NOAUTH');
    expect(await client(server, { password }).get('a')).toBeNull();
    const { stdout } = spawnSync('ps', ['-ewwo', 'args'], { encoding: 'utf8' });
    expect(stdout).toContain(binary);
    expect(stdout).not.toContain('se"cret');
  });

  it('rejects if the port is taken', async () => {
    const { port } = await start({ binary });
    await expect(startRedisServer({ binary, port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it.each([
    ['no-such-program', /could not start "no-such-program" on port \d+: no such program; install it, or give its path/],
    ['false', /could not start "false" on port \d+: it ended with code 1\. It said: nothing/],
  ])('says why %s does not start', async (program, message) => {
    await expect(startRedisServer({ binary: program })).rejects.toThrow(message);
  });

  it('repeats no password when the program refuses its configuration', async () => {
    const password = 'first-secret';
    const script = join(await mkdtemp(join(tmpdir(), 'echo-')), 'echo.sh');
    cleanUps.push(() => rm(dirname(script), { recursive: true }));
    await writeFile(script, '#!/bin/sh\ncat\nexit 1\n', { mode: 0o755 });
    const error = await startRedisServer({ binary: script, password }).catch((reason: unknown) => reason);
    expect(inspect(error)).toMatch(/it ended with code 1\. It said: .*requirepass/s);
    expect(inspect(error)).not.toContain(password);
  });

  it.each(['', 7, null])('refuses %o as a program', async (program) => {
    await expect(startRedisServer({ binary: program as string })).rejects.toMatchObject({
      code: 'CLIENTS_INVALID_OPTIONS',
    });
  });

  it('does not keep a process alive that forgets to close it, and ends with it', async () => {
    const { output } = await runInNode(`
      import { startRedisServer } from './src/testing/index.js';
      const { port } = await startRedisServer({ binary: 'redis-server' });
      console.log(port);
    `);
    const port = Number(output.trim());
    expect(port).toBeGreaterThan(0);
    await expect
      .poll(async () => {
        const socket = connect(port, '127.0.0.1');
        return once(socket, 'connect').then(
          () => 'open',
          () => 'closed',
        );
      })
      .toBe('closed');
  });

  it('closes in a script that waits for nothing else, and leaves no directory', async () => {
    const run = await runWithDirectory(`
      import { startRedisServer } from './src/testing/index.js';
      const server = await startRedisServer({ binary: 'redis-server' });
      await server.close();
      console.log('closed');
    `);
    expect(run).toEqual({ output: 'closed\n', errors: '', code: 0, left: [] });
  });

  it('lets a test start many, and leaves no directory of those that it does not close', async () => {
    const run = await runWithDirectory(`
      import { startRedisServer } from './src/testing/index.js';
      for (let count = 0; count < 11; count += 1) await startRedisServer({ binary: 'redis-server' });
    `);
    expect(run).toEqual({ output: '', errors: '', code: 0, left: [] });
  });
});
