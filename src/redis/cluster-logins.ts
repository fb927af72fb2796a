import type { Cluster, Redis } from 'ioredis';
import { askForCredentials, type PendingCredentials, type RedisCredentialsProvider } from './credentials.js';
import { logInWith } from './logins.js';

/** Milliseconds between two questions for a cluster's subscriber: ioredis makes another at once for one that has failed. */
const SUBSCRIBER_PAUSE = 1_000;

/** What ioredis's types do not declare of a cluster. */
interface Internals {
  /** Asks a node for the slots, on a duplicate of its connection. */
  getInfoFromNode(node: Redis | undefined, callback: (error?: unknown) => void): void;
  /** Makes the connection that all subscriptions share, and makes it anew when it breaks. */
  readonly subscriber: { subscriber: Redis | null };
  /** With `shardedSubscribers`: the connections of sharded subscriptions, by node. */
  readonly shardedSubscribers?: { readonly shardedSubscribers?: Map<string, { readonly instance: Redis | null }> };
}

/**
 * Has every connection of a cluster ask for credentials at each attempt to connect, and log in again before they expire: those
 * to the nodes, those on which ioredis asks for the slots, and those of subscriptions. What it is duplicated into does so too.
 */
export function logInClusterWith(cluster: Cluster, provider: RedisCredentialsProvider): void {
  if (!('subscriber' in cluster)) return; // a mock of ioredis, with nothing to log in to
  const internals = cluster as unknown as Internals;

  /** What the connection on which ioredis asks for the slots has been given before it was made. */
  let given: PendingCredentials | undefined;
  cluster.on('+node', (node: Redis) => {
    logInWith(node, provider, { ask: () => given ?? askForCredentials(provider, node.options.connectTimeout) });
  });

  const unanswered = new Set<PendingCredentials>();
  cluster.on('end', () => unanswered.forEach((asked) => asked.cancel()));
  const getInfoFromNode = internals.getInfoFromNode.bind(cluster);
  const loginAndGetInfo = async (node: Redis, callback: (error?: unknown) => void): Promise<void> => {
    // ioredis waits for slotsRefreshTimeout only, 1 s by default, for a connection and the slots. So ask before.
    const asked = askForCredentials(provider, node.options.connectTimeout);
    unanswered.add(asked);
    try {
      const credentials = await asked.result;
      if (['disconnecting', 'close', 'end'].includes(cluster.status)) throw new Error('Connection is closed.');
      given = { result: Promise.resolve(credentials), cancel() {} };
      getInfoFromNode(node, callback);
    } catch (error) {
      callback(error);
    } finally {
      given = undefined;
      unanswered.delete(asked);
    }
  };
  internals.getInfoFromNode = (node, callback) => {
    if (node) void loginAndGetInfo(node, callback);
    else getInfoFromNode(node, callback);
  };

  let subscriberAskedAt = -Infinity;
  const logInSubscriber = (subscriber: Redis | null): void => {
    if (!subscriber) return;
    logInWith(subscriber, provider, {
      ask: () => {
        const pause = Math.max(0, subscriberAskedAt + SUBSCRIBER_PAUSE - performance.now());
        subscriberAskedAt = performance.now() + pause;
        return askForCredentials(provider, subscriber.options.connectTimeout, pause);
      },
      // ioredis ignores the errors of this connection: those of the nodes are reported.
      onFailure: (error) => cluster.emit('node error', error, `${subscriber.options.host}:${subscriber.options.port}`),
    });
  };
  replaceSetter(internals.subscriber, 'subscriber', logInSubscriber);
  const sharded = internals.shardedSubscribers?.shardedSubscribers;
  if (sharded instanceof Map) {
    const add = sharded.set.bind(sharded);
    sharded.set = (key, entry) => {
      if (entry.instance) logInWith(entry.instance, provider);
      return add(key, entry);
    };
  }

  const duplicate = cluster.duplicate.bind(cluster);
  cluster.duplicate = (nodes, options) => {
    const copy = duplicate(nodes, { ...options, lazyConnect: true });
    logInClusterWith(copy, provider);
    const { lazyConnect = cluster.options.lazyConnect } = options ?? {};
    if (!lazyConnect) copy.connect().catch(() => {}); // the same failure comes as an event
    return copy;
  };
}

/** Calls `onSet` synchronously with each value that is assigned to a property. */
function replaceSetter<K extends string, T>(object: Record<K, T>, key: K, onSet: (value: T) => void): void {
  let current = object[key];
  Object.defineProperty(object, key, {
    configurable: true,
    enumerable: true,
    get: () => current,
    set(value: T) {
      current = value;
      onSet(value);
    },
  });
}
