import { createServer, type Socket } from 'node:net';
import { importPackage } from '../definition/load-package.js';
import { listen } from './listen.js';
import { startRedisProcess, type RunningServer } from './start-redis-process.js';
import type { TestServer } from './test-server.js';

/**
 * js-redis-server 0.3 declares ioredis 5 as its peer, although it works with 6, so npm would refuse to install both. `x` is
 * any version, and does no harm beside another ioredis, or without one.
 */
const INSTALL = 'npm pkg set overrides.js-redis-server.ioredis=x && npm install --save-dev js-redis-server';

/** How a Redis test server is started. */
export interface RedisServerOptions {
  /**
   * A program that is started in place of the server in this process: `'redis-server'`, `'valkey-server'` or the path of one.
   * It saves nothing, and ends with `close()` or when this process exits. If a signal kills this process, it goes on. Default
   * none.
   */
  binary?: string;
  /** The port to listen on. Default a free one. */
  port?: number;
  /** The password that clients must give, as Redis's `requirepass`. Default none. */
  password?: string;
}

/** A running Redis test server. */
export interface RedisServer extends TestServer {
  /** Where it listens, as `redis://host:port`, without the password. */
  readonly url: string;
}

/**
 * Starts an empty Redis server in this process, for tests and demos: no Redis to install, real clients over TCP.
 *
 * It is the package `js-redis-server`, which is not Redis itself: most commands, Lua, transactions and pub/sub are there;
 * persistence is not. With `binary` it is a real Redis, in a process of its own.
 *
 * Rejects with `CLIENTS_MISSING_PACKAGE` if the package is needed and not installed, with the system's error if the port is
 * taken, and with what `binary` says if it does not start within 10 s.
 *
 * @example
 * const server = await startRedisServer();
 * const redis = redisClient(server.url);
 * afterAll(() => server.close());
 */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await (options.binary === undefined
    ? startInProcess(options)
    : startRedisProcess(options.binary, options));
  return { ...server, url: `redis://${server.host}:${server.port}`, [Symbol.asyncDispose]: server.close };
}

async function startInProcess(options: RedisServerOptions): Promise<RunningServer> {
  // Its own `createRedisServer` listens on every interface, and its close waits for clients to disconnect.
  const { RedisServerState, createRedisCommandExecutor, SocketConnectionTransport, attachSession } =
    await importPackage('js-redis-server', 'startRedisServer()', () => import('js-redis-server/core'), INSTALL);
  const state = new RedisServerState({
    databaseCount: 16,
    ...(options.password !== undefined && { requirepass: options.password }),
  });
  const executor = createRedisCommandExecutor();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay().once('close', () => sockets.delete(socket));
    const clientAddress = `${socket.remoteAddress}:${socket.remotePort}`;
    attachSession(new SocketConnectionTransport(socket), { state, executor, clientAddress });
  });
  const address = await listen(server, options.port);

  const shutDown = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
    state.close();
  };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= shutDown());
  return { ...address, close };
}
