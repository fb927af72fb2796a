import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe } from 'vitest';
import { certificates, type Certificate } from './certificate.js';

const HOST = '127.0.0.1';
const SERVER = 'redis-server';
const MISSING = `${SERVER} is not installed`;
const POLL_INTERVAL = 20;
/** The range in which free ports are looked for. It is below the range for outgoing connections, which could take them. */
const PORTS = { first: 10_000, count: 22_000 };
/** The range is divided into this many parts, so that test files that run at the same time rarely look in the same one. */
const PARTS = 8;
/** At most this many clusters are started in advance: a test takes about a quarter of the time that a cluster needs to start. */
const MOST_AHEAD = 4;
/** Primaries of a cluster. */
const CLUSTER_SIZE = 3;
/** Ports that were handed out as free, and may be in use soon. */
const taken = new Set<number>();
/** By default, a primary waits 5 s for more replicas before it sends its data. */
const FAST_SYNC = ['--repl-diskless-sync-delay', '0'];
/** Files of the server's own directory; clients need no certificate. */
const TLS = ['--tls-cert-file', 'cert.pem', '--tls-key-file', 'key.pem', '--tls-ca-cert-file', 'cert.pem'].concat(
  '--tls-auth-clients',
  'no',
);

/** Whether tests can start real Redis servers on this machine. */
export const realRedis = { installed: spawnSync(SERVER, ['--version']).status === 0 };

/** A `describe` whose tests start real Redis servers. It is skipped where Redis is not installed, and fails in CI. */
export function describeWithRedis(name: string, suite: () => void): void {
  if (!realRedis.installed && process.env['CI']) throw new Error(`${MISSING}, which the tests of "${name}" need`);
  describe.skipIf(!realRedis.installed)(`${name}${realRedis.installed ? '' : ` (${MISSING})`}`, () => {
    suite();
  });
}

/** A `describe` whose tests also make certificates with openssl, for servers that use TLS. */
export function describeWithTls(name: string, suite: () => void): void {
  describeWithRedis(name, () => {
    const missing = 'openssl is not installed';
    if (!certificates.available && process.env['CI']) throw new Error(`${missing}, which the tests of "${name}" need`);
    describe.skipIf(!certificates.available)(certificates.available ? 'with certificates' : missing, () => {
      suite();
    });
  });
}

export interface RedisServerOptions {
  /** Default: a free one. */
  port?: number;
  /** The password of the default user. */
  password?: string;
  /** The only user that may log in. */
  user?: { name: string; password: string };
  /** Also accepts TLS connections, on a second port and with this certificate. */
  certificate?: Certificate | undefined;
  /** The port for TLS. Default: a free one. */
  tlsPort?: number;
  /** More arguments for redis-server, such as `['--maxclients', '10']`. */
  args?: readonly string[];
  /** A file of directives to start from. */
  config?: string;
  /** More files for the server's directory, by name. */
  files?: Readonly<Record<string, string>>;
}

export interface RedisServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Where it accepts TLS connections, if it has a certificate. */
  readonly tlsPort: number | undefined;
  readonly pid: number;
  /** With user name and password, if any. */
  readonly url: string;
  /** Sends a command over a separate connection and returns the reply: a simple or bulk string, or a number. */
  command(...args: string[]): Promise<string>;
  /** The number of open connections, without those of this helper and of Sentinels, replicas and primaries. */
  clientCount(): Promise<number>;
  /** Resolves as soon as that many connections are open. */
  clients(count: number): Promise<void>;
  /** Ends it as SIGTERM does. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Pauses the process: the kernel still accepts connections and keeps them open, but nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Starts it again on the same port, without data. If it still runs, it is killed first. */
  restart(): Promise<void>;
  /** Ends it and removes its files. */
  close(): Promise<void>;
}

/** Starts a redis-server on a free loopback port, without persistence, and waits until it answers. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { password, user, certificate, args = [], config } = options;
  const port = options.port ?? (await freePort());
  const tlsPort = certificate && (options.tlsPort ?? (await freePort()));
  const files = { ...options.files, ...(certificate && { 'cert.pem': certificate.cert, 'key.pem': certificate.key }) };
  const directory = await mkdtemp(join(tmpdir(), 'redis-server-'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  const configFile = join(directory, 'redis.conf');
  if (config !== undefined) await writeFile(configFile, config);

  const argv = (config === undefined ? [] : [configFile]).concat(
    '--port',
    String(port),
    '--bind',
    HOST,
    '--dir',
    directory,
    '--save',
    '',
    '--appendonly',
    'no',
    ...(password === undefined ? [] : ['--requirepass', password]),
    ...(user ? ['--user', user.name, 'on', `>${user.password}`, '~*', '&*', '+@all', '--user', 'default', 'off'] : []),
    ...(tlsPort === undefined ? [] : ['--tls-port', String(tlsPort), ...TLS]),
    ...args,
  );
  const login = user ? [user.name, user.password] : password === undefined ? [] : [password];
  const credentials =
    login.length > 0
      ? `${login
          .map(encodeURIComponent)
          .join(':')
          .replace(/^(?!.*:)/, ':')}@`
      : '';
  let child = await launch(argv);

  const server: RedisServer = {
    host: HOST,
    port,
    tlsPort,
    get pid() {
      return child.pid as number;
    },
    url: `redis://${credentials}${HOST}:${port}`,
    command: (...command) => request(port, login, command),
    async clientCount() {
      const list = await server.command('CLIENT', 'LIST');
      const others = list.split('\n').filter((line) => line !== '' && !line.includes(' cmd=client|list '));
      return others.filter((line) => !/ name=sentinel-| flags=[A-Za-z]*[SM]/.test(line)).length;
    },
    async clients(count) {
      while ((await server.clientCount()) !== count) await wait(POLL_INTERVAL);
    },
    stop: () => endProcess(child, 'SIGTERM'),
    kill: () => endProcess(child, 'SIGKILL'),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async restart() {
      await endProcess(child, 'SIGKILL');
      child = await launch(argv);
    },
    async close() {
      await endProcess(child, 'SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
  return server;
}

export interface RedisSentinels extends AsyncDisposable {
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  readonly sentinels: readonly RedisServer[];
  /** The name of the group that the Sentinels watch. */
  readonly name: string;
  /** The options for ioredis: `{ sentinels, name }`. */
  readonly options: { sentinels: { host: string; port: number }[]; name: string };
  close(): Promise<void>;
}

/**
 * Starts a primary, a replica and three Sentinels that know each other and fail over 1 s after the primary is gone. With
 * a certificate, all of them use TLS.
 */
export async function startRedisSentinels(certificate?: Certificate): Promise<RedisSentinels> {
  const name = 'main';
  const secure = { certificate, args: certificate ? [...FAST_SYNC, '--tls-replication', 'yes'] : FAST_SYNC };
  const portOf = ({ port, tlsPort }: { port: number; tlsPort?: number | undefined }) => tlsPort ?? port;
  const primary = await startRedisServer(secure);
  const replicaOf = ['--replicaof', HOST, String(portOf(primary))];
  const replica = await startRedisServer({ ...secure, args: [...replicaOf, ...secure.args] });
  const peers = await Promise.all(
    [1, 2, 3].map(async () => ({
      id: nodeId(),
      port: await freePort(),
      ...(certificate && { tlsPort: await freePort() }),
    })),
  );
  const sentinels = await startAll(peers, ({ id, ...ports }) => {
    const config = [
      `sentinel monitor ${name} ${HOST} ${portOf(primary)} 2`,
      `sentinel down-after-milliseconds ${name} 1000`,
      `sentinel failover-timeout ${name} 3000`,
      `sentinel myid ${id}`,
      `sentinel known-replica ${name} ${HOST} ${portOf(replica)}`,
      // They are introduced to each other, because finding each other by themselves takes seconds.
      ...peers
        .filter((peer) => peer.id !== id)
        .map((peer) => `sentinel known-sentinel ${name} ${HOST} ${portOf(peer)} ${peer.id}`),
    ];
    const args = ['--sentinel', ...(certificate ? ['--tls-replication', 'yes'] : [])];
    return startRedisServer({ ...ports, certificate, config: `${config.join('\n')}\n`, args });
  });
  await until(async () => /master_link_status:up/.test(await replica.command('INFO', 'replication')));
  for (const sentinel of sentinels) {
    await until(async () => (await sentinel.command('SENTINEL', 'CKQUORUM', name).catch(String)).startsWith('OK 3 '));
  }

  const close = async (): Promise<void> => {
    await Promise.all([...sentinels, replica, primary].map((server) => server.close()));
  };
  return {
    primary,
    replica,
    sentinels,
    name,
    options: { sentinels: peers.map((peer) => ({ host: HOST, port: portOf(peer) })), name },
    close,
    [Symbol.asyncDispose]: close,
  };
}

export interface RedisCluster extends AsyncDisposable {
  readonly primaries: readonly RedisServer[];
  /** Empty, or one for each primary, in the same order. */
  readonly replicas: readonly RedisServer[];
  /** All nodes, as options for ioredis. */
  readonly nodes: { host: string; port: number }[];
  close(): Promise<void>;
}

/**
 * Starts a cluster of three primaries that serve all slots, each with a replica if asked for. It takes about 2 s until
 * Redis reports that the cluster is up, so the next clusters are already started while a test uses this one: the more
 * clusters a test file has used, the more are started in advance.
 */
export async function startRedisCluster({ replicas = false } = {}): Promise<RedisCluster> {
  const ahead = replicas ? clustersAhead.withReplicas : clustersAhead.withoutReplicas;
  const nodes = ahead.started.shift() ?? launchClusterNodes(replicas);
  ahead.used += 1;
  const cluster = await joinedCluster(nodes);
  while (ahead.started.length < Math.min(ahead.used, MOST_AHEAD)) {
    const next = launchClusterNodes(replicas);
    next.catch(() => {}); // the test that takes it gets the error
    ahead.started.push(next);
  }
  return cluster;
}

interface ClusterNodes {
  readonly plan: readonly { readonly port: number; readonly isReplica: boolean }[];
  readonly servers: readonly RedisServer[];
}

interface ClustersAhead {
  readonly started: Promise<ClusterNodes>[];
  used: number;
}

const clustersAhead: Readonly<Record<'withReplicas' | 'withoutReplicas', ClustersAhead>> = {
  withReplicas: { started: [], used: 0 },
  withoutReplicas: { started: [], used: 0 },
};

afterAll(async () => {
  const unused = Object.values(clustersAhead).flatMap(({ started }) => started.splice(0));
  const outcomes = await Promise.allSettled(unused);
  const servers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value.servers : []));
  await Promise.all(servers.map((server) => server.close()));
});

/**
 * Starts the processes without waiting until they form a cluster: asking them would open sockets and set timers, and
 * the test that runs meanwhile may count the sockets and timers of its process.
 */
async function launchClusterNodes(replicas: boolean): Promise<ClusterNodes> {
  const size = CLUSTER_SIZE;
  const plan = await Promise.all(
    Array.from({ length: replicas ? 2 * size : size }, async (_, index) => {
      const [port, bus] = [await freePort(), await freePort()];
      return { id: nodeId(), port, bus, shard: index % size, isReplica: index >= size };
    }),
  );
  const describeNodes = (self: (typeof plan)[number]): string => {
    const lines = plan.map(({ id, port, bus, shard, isReplica }) => {
      const role = isReplica ? `slave ${plan[shard]?.id}` : 'master -';
      const first = Math.ceil((16_384 * shard) / size);
      const last = Math.ceil((16_384 * (shard + 1)) / size) - 1;
      const flags = id === self.id ? `myself,${role}` : role;
      return `${id} ${HOST}:${port}@${bus} ${flags} 0 0 ${shard + 1} connected${isReplica ? '' : ` ${first}-${last}`}`;
    });
    return [...lines, `vars currentEpoch ${size} lastVoteEpoch 0`, ''].join('\n');
  };
  const servers = await startAll(plan, (node) =>
    startRedisServer({
      port: node.port,
      files: { 'nodes.conf': describeNodes(node) },
      args: FAST_SYNC.concat(
        '--cluster-enabled',
        'yes',
        '--cluster-port',
        String(node.bus),
        '--cluster-node-timeout',
        '1500',
      ),
    }),
  );
  return { plan, servers };
}

/** Resolves with the cluster as soon as all of its nodes report that it is up. */
async function joinedCluster(nodes: Promise<ClusterNodes>): Promise<RedisCluster> {
  const { plan, servers } = await nodes;
  await Promise.all(
    servers.map(async (server, index) => {
      await until(async () => /cluster_state:ok/.test(await server.command('CLUSTER', 'INFO')));
      if (plan[index]?.isReplica)
        await until(async () => /link_status:up/.test(await server.command('INFO', 'replication')));
    }),
  );

  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
  };
  return {
    primaries: servers.slice(0, CLUSTER_SIZE),
    replicas: servers.slice(CLUSTER_SIZE),
    nodes: plan.map(({ port }) => ({ host: HOST, port })),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A loopback port that nothing listens on. */
export async function freePort(): Promise<number> {
  const count = Math.floor(PORTS.count / PARTS);
  const first = PORTS.first + count * (Number(process.env['VITEST_POOL_ID'] ?? 0) % PARTS);
  for (;;) {
    const port = first + randomInt(count);
    const server = createServer().listen(port, HOST);
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('listening', () => resolve(!taken.has(port))).once('error', () => resolve(false));
    });
    if (server.listening) {
      server.close();
      await once(server, 'close');
    }
    if (isFree) {
      taken.add(port);
      return port;
    }
  }
}

/** Starts all or none: when one does not start, the others are closed. */
async function startAll<K>(keys: readonly K[], start: (key: K) => Promise<RedisServer>): Promise<RedisServer[]> {
  const outcomes = await Promise.allSettled(keys.map(start));
  const servers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (!failed) return servers;
  await Promise.all(servers.map((server) => server.close()));
  throw failed.reason;
}

/** Kills the servers when the process of the tests ends. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

async function launch(argv: readonly string[]): Promise<ChildProcess> {
  const child = spawn(SERVER, argv, { stdio: ['ignore', 'pipe', 'ignore'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${SERVER} did not start: ${output}`)));
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (/Ready to accept connections|Sentinel ID is/.test(output)) resolve();
    });
  });
  child.stdout?.removeAllListeners('data').resume();
  return child;
}

async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  if (signal !== 'SIGKILL') child.kill('SIGCONT');
  await exited;
}

async function until(reached: () => Promise<boolean>): Promise<void> {
  while (!(await reached())) await wait(POLL_INTERVAL);
}

function nodeId(): string {
  return randomBytes(20).toString('hex');
}

async function request(port: number, login: readonly string[], command: readonly string[]): Promise<string> {
  const socket = connect(port, HOST);
  try {
    const replies = readReplies(socket);
    if (login.length > 0) {
      socket.write(encode(['AUTH', ...login]));
      await replies.next();
    }
    socket.write(encode(command));
    const { value, done } = await replies.next();
    if (done) throw new Error('The server hung up');
    return value;
  } finally {
    socket.destroy();
  }
}

function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
}

/** Reads simple and bulk strings, numbers and errors, the only kinds of reply to the commands used here. */
async function* readReplies(socket: AsyncIterable<Buffer>): AsyncGenerator<string, undefined> {
  let buffer = Buffer.alloc(0);
  for await (const chunk of socket) {
    buffer = Buffer.concat([buffer, chunk]);
    for (let eol = buffer.indexOf('\r\n'); eol !== -1; eol = buffer.indexOf('\r\n')) {
      const [type, line] = [buffer.toString('latin1', 0, 1), buffer.toString('utf8', 1, eol)];
      const start = eol + 2;
      if (type === '-') throw new Error(line);
      if (type === '$' && line !== '-1') {
        const stop = start + Number(line);
        if (buffer.length < stop + 2) break;
        yield buffer.toString('utf8', start, stop);
        buffer = buffer.subarray(stop + 2);
      } else {
        yield type === '$' ? '' : line;
        buffer = buffer.subarray(start);
      }
    }
  }
  return undefined;
}
