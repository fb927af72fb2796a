import { queueOf, type Internals } from './internals.js';
import { isPinging } from './probe.js';

/** Whether node-redis reports how many commands a client awaits, as it does from 5.12 on. */
export function reportsPending(client: Internals): boolean {
  return typeof queueOf(client)?.pendingCount === 'number';
}

/** Whether commands have been sent or queued on this connection, and not answered: our own PING does not count. */
export function isAwaited(client: Internals): boolean {
  const queue = queueOf(client);
  if (queue?.pendingCount === undefined) return false;
  // Before it is ready, what is in flight is node-redis's own HELLO and the like.
  return client.isReady ? queue.pendingCount > (isPinging(client) ? 1 : 0) : queue.isWaitingToWrite();
}
