import type { Duplex } from 'node:stream';
import type { Cluster, Redis } from 'ioredis';
import { heldBackCommandsRejected, pendingCommandsSettled, rejectLostCommands, turn } from './pending-commands.js';
import { sentinelsOf } from './sentinel-connections.js';

/** What is being ended: a close that waits while the client is destroyed must not end it a second time. */
const endings = new WeakMap<Redis | Cluster, Promise<void>>();

/**
 * Waits until every command has been answered or has failed, and ends the connection.
 *
 * Not with `quit()`: when the server is down that leaves the client reconnecting, it overtakes what auto-pipelining has
 * yet to send, and it leaks the connections of Sentinel's failover detector.
 */
export async function closeRedis(client: Redis): Promise<void> {
  await pendingCommandsSettled(client);
  await destroyRedis(client);
}

/** Ends the connection now, whatever its state. What is pending rejects; nothing waits for the server. */
export function destroyRedis(client: Redis): Promise<void> {
  return once(client, endRedis);
}

/**
 * Keeps the errors of a socket that is being ended from ending the process. ioredis listens for one only, and in the middle of
 * a TLS handshake there may be two: that the certificate is not trusted, and that the server complains.
 */
function ignoreSocketErrors(client: Redis): void {
  const { stream, connector } = client as unknown as { stream?: Duplex; connector?: { stream?: Duplex } };
  for (const socket of new Set([stream, connector?.stream])) socket?.on('error', () => {});
}

async function endRedis(client: Redis): Promise<void> {
  ignoreSocketErrors(client);
  // Cancels the next attempt to connect.
  client.disconnect();
  await Promise.all(sentinelsOf(client).map(destroyRedis));
  // A connector that is just handing over its socket does so first.
  await turn();

  const { stream } = client;
  if (stream && !stream.closed) {
    // disconnect() waits up to disconnectTimeout (2 s) for the server to hang up, which a frozen one never does.
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.destroy();
    await closed;
  } else {
    // disconnect() has started that timer for a dead socket too, and only a "close" stops it.
    stream?.emit('close');
    // It also leaves the end to that "close". Without a socket there is none to wait for, as in the status "wait".
    if (client.status !== 'end') {
      client.status = 'wait';
      client.disconnect();
    }
  }
  rejectLostCommands(client);
}

/** Waits until every command has been answered or has failed, and ends all connections. */
export async function closeCluster(cluster: Cluster): Promise<void> {
  await pendingCommandsSettled(cluster);
  await destroyCluster(cluster);
}

/** Ends all connections now, whatever their state. What is pending rejects; nothing waits for the servers. */
export function destroyCluster(cluster: Cluster): Promise<void> {
  return once(cluster, endCluster);
}

async function endCluster(cluster: Cluster): Promise<void> {
  const nodes = cluster.nodes();
  nodes.forEach(ignoreSocketErrors);
  // Cancels the next attempt to connect and to refresh the slots, and ends the subscriber's connection.
  cluster.disconnect();
  stopRefreshing(cluster);
  await Promise.all(nodes.map(destroyRedis));
  await turn();
  // The end follows that of the last node. Without nodes there is none to wait for, as in the status "wait"; and with
  // several, each that ends after the first takes the cluster from "end" back to "close".
  if (cluster.status !== 'end') {
    cluster.status = 'wait';
    cluster.disconnect();
  }
  // A node that the user has disconnected, and that hangs up only now, would take the cluster back to "close" too.
  cluster.on('close', () => (cluster.status = 'end'));
  await heldBackCommandsRejected(cluster);
}

/**
 * disconnect() clears the timer of `slotsRefreshInterval`. A refresh that is under way would set it again when it ends, and
 * again after each refresh that follows, so that the process would never end.
 */
function stopRefreshing(cluster: Cluster): void {
  Object.defineProperty(cluster, 'slotsTimer', {
    get: () => null,
    set(timer: NodeJS.Timeout | null) {
      clearTimeout(timer ?? undefined);
    },
  });
}

function once<T extends Redis | Cluster>(client: T, end: (client: T) => Promise<void>): Promise<void> {
  const ending = endings.get(client) ?? end(client);
  endings.set(client, ending);
  return ending;
}
