import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';
import { freePort } from './redis-server.js';

const HOST = '127.0.0.1';
const MISSING = 'postgresql is not installed';
const BINARIES = findBinaries();

export interface PostgresServer {
  /** For the superuser, whose password is {@link PASSWORD}. */
  readonly url: string;
  readonly port: number;
  /** Ends the server at once, as a crash does. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

/** Sent as the superuser's password, and must not appear in any output. The server accepts any from this machine. */
export const PASSWORD = 'open-sesame-pg';

/* oxlint-disable vitest/no-conditional-tests, vitest/valid-title, vitest/valid-describe-callback -- not a test */
/* oxlint-disable vitest/no-disabled-tests, vitest/expect-expect */

/** A `describe` whose tests start real PostgreSQL servers. It is skipped where PostgreSQL is not installed, and fails in CI. */
export function describeWithPostgres(name: string, suite: () => void): void {
  if (BINARIES) describe(name, suite);
  else if (process.env['CI']) describe(name, () => it(MISSING, () => Promise.reject(new Error(MISSING))));
  else describe.skipIf(true)(`${name} (${MISSING})`, suite);
}

/** Starts a new server in a temporary directory, on a free loopback port. */
export async function startPostgres(): Promise<PostgresServer> {
  const binaries = BINARIES;
  if (!binaries) throw new Error(MISSING);
  const user = unprivilegedUser();
  const directory = await mkdtemp(join(tmpdir(), 'nestjs-clients-postgres-'));
  const options: SpawnOptions = { ...user, cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] };
  const data = join(directory, 'data');
  try {
    if (user) await chown(directory, user.uid, user.gid);
    await run(join(binaries, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-N', '--no-locale'], options);
    const port = await freePort();
    const settings = { listen_addresses: HOST, port, unix_socket_directories: '', fsync: 'off' };
    const server = spawn(
      join(binaries, 'postgres'),
      ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      options,
    );
    const killWithParent = (): void => void server.kill('SIGQUIT');
    process.once('exit', killWithParent);
    server.once('exit', () => process.off('exit', killWithParent));
    await ready(server);
    const stop = async (signal: NodeJS.Signals): Promise<void> => {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const exited = once(server, 'exit');
      server.kill(signal);
      await exited;
    };
    return {
      url: `postgres://postgres:${PASSWORD}@${HOST}:${port}/postgres`,
      port,
      kill: () => stop('SIGQUIT'),
      async close() {
        await stop('SIGINT'); // a "fast" shutdown: does not wait for clients
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Debian keeps the server's programs out of PATH. */
function findBinaries(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const candidates = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  return candidates.find((directory) => ['initdb', 'postgres'].every((name) => existsSync(join(directory, name))));
}

/** PostgreSQL refuses to run as root, so that root runs it as the user that its package has made. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })));
  return { uid: uid as number, gid: gid as number };
}

async function run(command: string, args: string[], options: SpawnOptions): Promise<void> {
  const child = spawn(command, args, options);
  const output = collect(child);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${output.join('')}`);
}

function ready(server: ChildProcess): Promise<void> {
  const output = collect(server);
  return new Promise((resolve, reject) => {
    server.stderr?.on('data', () => {
      if (output.join('').includes('ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`postgres ended with ${code}: ${output.join('')}`)));
  });
}

function collect(child: ChildProcess): string[] {
  const output: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => output.push(chunk));
  return output;
}
