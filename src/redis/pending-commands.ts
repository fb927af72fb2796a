import type { Cluster, Redis } from 'ioredis';
import { isOwnCommand } from './own-commands.js';

/** Milliseconds between two looks at commands that ioredis holds back, such as those that a cluster tries again. */
const HELD_BACK_INTERVAL = 10;

/** Node's own, so that a test that has timers faked can close its application. */
const { setImmediate: immediately, setTimeout: later } = globalThis;

/** Where ioredis keeps commands. Its types declare `commandQueue` only, and nothing public tells what is pending. */
interface Queues {
  /** Sent. Before the connection is ready, these are ioredis's own HELLO, CLIENT and INFO. */
  readonly commandQueue?: Queue;
  /** To be sent once the connection is ready. */
  readonly offlineQueue?: Queue;
  /** Sent on a connection that broke before it answered; to be sent again once the next one is ready. */
  readonly prevCommandQueue?: Queue | null;
  /** A cluster's commands to be sent again shortly, by reason: their node is gone, or their slot is moving. */
  readonly delayQueue?: { readonly timeouts?: Readonly<Record<string, unknown>> };
  /** What sends a cluster's auto-pipelined commands, until the slots are known for the first time. */
  readonly _readyDelayedCallbacks?: ((error: Error) => void)[];
}

interface Queue {
  toArray(): QueuedCommand[];
  shift(): QueuedCommand | undefined;
}

interface QueuedCommand {
  readonly command: { readonly promise: Promise<unknown>; readonly callback?: unknown; reject(error: Error): void };
}

/** Resolves as soon as every command that was asked of the client has been answered or has failed; not the library's own. */
export async function pendingCommandsSettled(client: Redis | Cluster): Promise<void> {
  await turn(); // auto-pipelining sends at the end of it
  let heldBack: boolean;
  do {
    heldBack = isHoldingBack(client); // if not, every command is in a queue now
    await settled(client);
    if (heldBack) await pause();
  } while (heldBack);
}

/** Rejects what ioredis would leave pending for ever, once the client has ended. */
export function rejectLostCommands(client: Redis): void {
  // When a connection breaks again before it was ready, ioredis flushes its other queues at the end, but not this one.
  const { prevCommandQueue } = client as unknown as Queues;
  for (let lost = prevCommandQueue?.shift(); lost; lost = prevCommandQueue?.shift()) lost.command.reject(closed());
}

/** Rejects what ioredis would leave pending for ever, once the cluster has ended, and waits for what it rejects itself. */
export async function heldBackCommandsRejected(cluster: Cluster): Promise<void> {
  // A cluster that ends between two attempts to connect forgets what auto-pipelining keeps until it knows the slots.
  const { _readyDelayedCallbacks: unsent = [] } = cluster as unknown as Queues;
  for (let send = unsent.shift(); send; send = unsent.shift()) send(closed());
  while (isHoldingBack(cluster)) await pause();
}

/** Whether a command, known by its callback, is to be sent or to be answered, even if ioredis has given it up. */
export function isQueued(client: Redis | Cluster, callback: unknown): boolean {
  return queuedCommands(client).some(({ command }) => command.callback === callback);
}

async function settled(client: Redis | Cluster): Promise<void> {
  const asked = queuedCommands(client).filter(({ command }) => !isOwnCommand(command));
  await Promise.allSettled(asked.map(({ command }) => command.promise));
}

function queuedCommands(client: Redis | Cluster): QueuedCommand[] {
  const connections = 'nodes' in client ? [client, ...client.nodes()] : [client];
  return connections.flatMap((connection) => {
    const { commandQueue, offlineQueue, prevCommandQueue } = connection as unknown as Queues;
    const sent = connection.status === 'ready' ? commandQueue : prevCommandQueue;
    return [sent, offlineQueue].flatMap((queue) => queue?.toArray() ?? []);
  });
}

function isHoldingBack(client: Redis | Cluster): boolean {
  const { delayQueue, _readyDelayedCallbacks: unsent = [] } = client as unknown as Queues;
  const retries = Object.values(delayQueue?.timeouts ?? {});
  return client.autoPipelineQueueSize > 0 || unsent.length > 0 || retries.some(Boolean);
}

/** Ends with the turn of the event loop. Not from node:timers/promises, which Node would have to load at import. */
export function turn(): Promise<void> {
  return new Promise((resolve) => immediately(resolve));
}

function pause(): Promise<void> {
  return new Promise((resolve) => later(resolve, HELD_BACK_INTERVAL));
}

function closed(): Error {
  return new Error('Connection is closed.');
}
