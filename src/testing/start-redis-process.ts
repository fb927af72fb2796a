import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isText } from '../definition/rules.js';
import { ClientsInvalidOptionsError } from '../errors/clients-invalid-options.error.js';
import { describeError } from '../errors/describe-error.js';
import { listen } from './listen.js';
import type { RedisServer, RedisServerOptions } from './start-redis-server.js';

/** Milliseconds that the program has until it is ready. */
const START_TIMEOUT = 10_000;
/** What Redis and Valkey log when they are. */
const READY = 'Ready to accept connections';

/** Starts `redis-server`, or a program that takes its configuration and logs as it does, without any persistence. */
export async function startRedisProcess(binary: string, options: RedisServerOptions): Promise<RedisServer> {
  if (!isText(binary)) {
    throw new ClientsInvalidOptionsError('startRedisServer()', '"binary" must be a program, such as \'redis-server\'');
  }
  const { host, port } = await findAddress(options.port);
  const directory = await mkdtemp(join(tmpdir(), 'nestjs-clients-redis-')); // for what a test saves on demand
  const child = spawn(binary, ['-'], { cwd: directory });
  const kill = (): boolean => child.kill('SIGKILL'); // there is nothing to save
  process.once('exit', kill); // of a test that has not closed it
  const shutDown = async (): Promise<void> => {
    process.off('exit', kill);
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      kill();
      await once(child, 'exit');
    }
    await rm(directory, { recursive: true, force: true });
  };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= shutDown());
  try {
    // Configured through its input: a list of processes shows the arguments, with the password.
    child.stdin.on('error', () => {}).end(configurationOf(host, port, options.password));
    await untilReady(child);
  } catch (error) {
    await close();
    const reason = describeError(error instanceof Error ? error : new Error(String(error)));
    const { password } = options; // Redis repeats a line that it does not understand
    const shown = password ? reason.replaceAll(password, '***') : reason;
    throw new Error(`startRedisServer() could not start "${binary}" on port ${port}: ${shown}`);
  }
  letProcessEnd(child);
  return { host, port, url: `redis://${host}:${port}`, close, [Symbol.asyncDispose]: close };
}

async function findAddress(port?: number): Promise<{ host: string; port: number }> {
  const server = createServer();
  const address = await listen(server, port); // rejects if the port is taken
  await new Promise((resolve) => server.close(resolve));
  return address;
}

function configurationOf(host: string, port: number, password?: string): string {
  const lines = [`bind ${host}`, `port ${port}`, 'save ""', 'appendonly no', 'daemonize no', 'logfile ""'];
  if (password !== undefined) lines.push(`requirepass ${JSON.stringify(password)}`);
  return `${lines.join('\n')}\n`;
}

/** Rejects if the program cannot be started, ends, or is not ready in time. */
async function untilReady(child: ChildProcess): Promise<void> {
  let output = '';
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (what: string): void =>
        reject(new Error(`${what}. It said: ${output.trim().slice(-500) || 'nothing'}`));
      timer = setTimeout(() => fail(`it was not ready within ${START_TIMEOUT} ms`), START_TIMEOUT);
      child.once('error', (error: NodeJS.ErrnoException) =>
        reject(error.code === 'ENOENT' ? new Error('no such program; install it, or give its path') : error),
      );
      child.once('close', (code) => fail(`it ended with code ${code}`));
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding('utf8').on('data', (text: string) => {
          output = (output + text).slice(-10_000);
          if (output.includes(READY)) resolve();
        });
      }
    });
  } finally {
    clearTimeout(timer);
  }
}

/** A test that forgets to close the server must not hang. */
function letProcessEnd(child: ChildProcess): void {
  child.unref();
  for (const pipe of [child.stdout, child.stderr]) (pipe as Socket | null)?.unref();
}
