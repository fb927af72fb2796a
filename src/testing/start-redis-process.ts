import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isText } from '../definition/rules.js';
import { ClientsInvalidOptionsError } from '../errors/clients-invalid-options.error.js';
import { Redactor } from '../redaction/redactor.js';
import { listen } from './listen.js';

/** Milliseconds that the program has until it is ready. */
const START_TIMEOUT = 10_000;
/** What Redis and Valkey log when they are. */
const READY = 'Ready to accept connections';

/** What ends each server that is running. Called when this process exits, if a test has not closed it. */
const running = new Set<() => void>();

export interface RunningServer {
  readonly host: string;
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Starts `redis-server`, or a program that takes its configuration and logs as it does, without any persistence. */
export async function startRedisProcess(
  binary: string,
  options: { port?: number; password?: string },
): Promise<RunningServer> {
  if (!isText(binary)) {
    throw new ClientsInvalidOptionsError('startRedisServer()', '"binary" must be a program, such as \'redis-server\'');
  }
  const { host, port } = await findAddress(options.port);
  const directory = await mkdtemp(join(tmpdir(), 'nestjs-clients-redis-')); // for what a test saves on demand
  const child = spawn(binary, ['-'], { cwd: directory });
  const end = (): void => {
    child.kill('SIGKILL'); // there is nothing to save
    rmSync(directory, { recursive: true, force: true });
  };
  running.add(end);
  process.off('exit', endAll).on('exit', endAll); // one listener for all servers: Node warns of more than ten
  const shutDown = async (): Promise<void> => {
    running.delete(end);
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      child.ref(); // this process must not end while somebody waits for it to close
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    end();
  };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= shutDown());

  // Configured through its input: a list of processes shows the arguments, with the password.
  child.stdin.on('error', () => {}).end(configurationOf(host, port, options.password));
  const problem = await untilReady(child);
  if (problem) {
    await close();
    const redactor = new Redactor(); // Redis repeats a line of its configuration that it does not understand
    redactor.keep({ password: options.password });
    throw new Error(`startRedisServer() could not start "${binary}" on port ${port}: ${redactor.text(problem)}`);
  }
  letProcessEnd(child);
  return { host, port, close };
}

function endAll(): void {
  for (const end of running) end();
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

/** Why the program did not start: it does not exist, has ended, or was not ready in time. Nothing if it has started. */
function untilReady(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    let output = '';
    const settle = (problem?: string): void => {
      clearTimeout(timer);
      resolve(problem);
    };
    const fail = (what: string): void => settle(`${what}. It said: ${output.trim().slice(-500) || 'nothing'}`);
    const timer = setTimeout(() => fail(`it was not ready within ${START_TIMEOUT} ms`), START_TIMEOUT);
    child.once('error', ({ code, message }: NodeJS.ErrnoException) =>
      settle(code === 'ENOENT' ? 'no such program; install it, or give its path' : message),
    );
    child.once('close', (code) => fail(`it ended with code ${code}`));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-10_000);
        if (output.includes(READY)) settle();
      });
    }
  });
}

/** A test that forgets to close the server must not hang. */
function letProcessEnd(child: ChildProcess): void {
  child.unref();
  for (const pipe of [child.stdout, child.stderr]) (pipe as Socket | null)?.unref();
}
