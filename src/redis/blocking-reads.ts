import type { Redis } from 'ioredis';
import { sendOwnCommand } from './own-commands.js';
import { turn } from './pending-commands.js';

/** Milliseconds that the client that a connection was derived from has to end a blocking read. */
const UNBLOCK_TIMEOUT = 500;
/** Milliseconds between two looks at a read that is to end, and how often at most. */
const INTERVAL = 10;
const ATTEMPTS = 50;

/** Node's own, so that a test that has timers faked can close its application. */
const { setTimeout: later, clearTimeout: cancel } = globalThis;

/** Commands that wait on the server until there is something to return. */
const BLOCKING = new Set(['blpop', 'brpop', 'brpoplpush', 'blmove', 'blmpop', 'bzpopmin', 'bzpopmax', 'bzmpop']);
/** Commands that do so if they say BLOCK. */
const BLOCKING_ON_REQUEST = new Set(['xread', 'xreadgroup']);

interface Command {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly promise: Promise<unknown>;
  reject(error: Error): void;
}

/** What ioredis's types do not declare of a client. */
interface Internals {
  readonly commandQueue: Queue;
  readonly offlineQueue: Queue;
  readonly prevCommandQueue?: Queue | null;
  /** A mock of ioredis may have none. */
  sendCommand?(command: Command, stream?: unknown): unknown;
}

interface Queue {
  toArray(): { readonly command: Command }[];
}

interface Connection {
  /** The client that can end its blocking reads. */
  readonly base: Redis;
  /** What the server calls the connection, if it says. */
  id?: Promise<string | undefined>;
}

const connections = new WeakMap<Redis, Connection>();

/** To which run of which server a client is connected, if the server says; until the connection is lost. */
const servers = new WeakMap<Redis, Promise<string | undefined>>();

/** Keeps what it takes to end a client's blocking reads through the client that it was derived from. */
export function watchBlockingReads(client: Redis, base: Redis): void {
  const connection: Connection = { base };
  connections.set(client, connection);
  // Not at "ready", when a blocking read that has been waiting is sent first and would hold up the answers.
  client.on('connect', () => {
    connection.id = ask((done) => client.client('ID', done));
    void serverOf(client);
  });
}

function serverOf(client: Redis): Promise<string | undefined> {
  let server = servers.get(client);
  if (!server) {
    server = ask((done) => client.info('server', done)).then((info) => /^run_id:(\w+)/m.exec(info ?? '')?.[1]);
    servers.set(client, server);
    client.once('close', () => servers.delete(client));
  }
  return server;
}

/** Without the permission to ask there is no answer, and reads are ended by disconnecting. */
function ask(send: Parameters<typeof sendOwnCommand>[0]): Promise<string | undefined> {
  return sendOwnCommand(send).then(String, () => undefined);
}

/** Whether a blocking read has been sent and not been answered: whatever is sent after it has to wait. */
export function isBlocked(client: Redis): boolean {
  return client.status === 'ready' && commandsIn(internalsOf(client).commandQueue).some(isBlocking);
}

/** The client that this one was derived from, if it is connected to the same server process. */
export async function baseOnSameServer(client: Redis): Promise<Redis | undefined> {
  const base = connections.get(client)?.base;
  if (base?.status !== 'ready') return undefined;
  const [own, other] = await Promise.all([serverOf(client), serverOf(base)]);
  return own !== undefined && own === other ? base : undefined;
}

/**
 * Ends the blocking reads in flight as if their time was over, and refuses further ones: a loop that reads again would take
 * something from the server that nobody gets.
 *
 * @returns whether nothing blocks any more. If not, only disconnecting ends what does.
 */
export async function endBlockingReads(client: Redis): Promise<boolean> {
  refuseBlockingReads(client);
  await turn(); // auto-pipelining sends at the end of it
  if (client.status !== 'ready') return !waitsOnlyToBlock(client);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (!isBlocked(client)) return true;
    if (!(await within(UNBLOCK_TIMEOUT, unblock(client)))) return false;
    await pause(attempt === 0 ? 0 : INTERVAL);
  }
  return !isBlocked(client);
}

/** @returns false if that cannot be asked of the server */
async function unblock(client: Redis): Promise<boolean> {
  // Another server, as after a failover, may have given the same id to somebody else's connection.
  const base = await baseOnSameServer(client);
  const id = await connections.get(client)?.id;
  if (!base || id === undefined) return false;
  // 0 until the read has reached the server.
  const unblocked = await ask((done) => base.client('UNBLOCK', id, 'TIMEOUT', done));
  return unblocked !== undefined;
}

function refuseBlockingReads(client: Redis): void {
  const internals = internalsOf(client);
  const send = internals.sendCommand?.bind(client);
  if (!send) return;
  internals.sendCommand = (command, stream) => {
    if (!isBlocking(command)) return send(command, stream);
    command.reject(new Error('Connection is closed.'));
    return command.promise;
  };
}

/** Whether all that waits for a connection would block on it. */
function waitsOnlyToBlock(client: Redis): boolean {
  const { offlineQueue, prevCommandQueue } = internalsOf(client);
  const waiting = [...commandsIn(offlineQueue), ...commandsIn(prevCommandQueue)];
  return waiting.length > 0 && waiting.every(isBlocking);
}

function isBlocking({ name, args }: Command): boolean {
  const lowerCase = name.toLowerCase();
  if (BLOCKING.has(lowerCase)) return true;
  return BLOCKING_ON_REQUEST.has(lowerCase) && args.some((arg) => /^block$/i.test(String(arg)));
}

function commandsIn(queue: Queue | null | undefined): Command[] {
  return queue?.toArray().map(({ command }) => command) ?? [];
}

function internalsOf(client: Redis): Internals {
  return client as unknown as Internals;
}

function pause(duration: number): Promise<void> {
  return new Promise((resolve) => later(resolve, duration));
}

async function within<T>(duration: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = later(() => resolve(undefined), duration);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    cancel(timer);
  }
}
