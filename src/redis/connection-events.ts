import type { Cluster, Redis } from 'ioredis';
import { answers, probeCluster, probeRedis } from './redis-probe.js';

type Report = (state: 'connected' | 'disconnected', reason?: unknown) => void;

/**
 * Reports whenever a client, of one server or of Sentinel, gains or loses its connection.
 *
 * ioredis is "ready" when it has a connection that can be used, and says "close" at the end of each. A server that accepts and
 * hangs up causes neither "ready" nor "error": it is reported as a loss before the first gain.
 */
export function watchRedis(client: Redis, report: Report): void {
  let isUp = client.status === 'ready';
  let isReached = isUp;
  let reason: unknown;
  /** Counts connections. */
  let session = 0;

  const gained = (): void => {
    isUp = true;
    reason = undefined;
    report('connected');
  };
  client.on('connect', () => {
    isReached = true;
    reason = undefined;
  });
  client.on('error', (error: unknown) => (reason = error));
  client.on('ready', () => {
    if (client.status !== 'ready') return; // it has been lost in the same turn
    if (client.options.enableReadyCheck) return gained();
    // Nothing has been asked of the server yet, or not waited for: ioredis 5 is "ready" before its login is refused.
    const mine = session;
    const confirm = (): void => {
      if (mine === session && client.status === 'ready') gained();
    };
    probeRedis(client).then(confirm, (error: unknown) => answers(error) && confirm());
  });
  client.on('close', () => {
    const [wasUp, wasReached, why] = [isUp, isReached, reason];
    session += 1;
    isUp = isReached = false;
    reason = undefined;
    if (isEndedOnPurpose(client, client.options.retryStrategy)) return;
    if (wasUp) report('disconnected', why);
    // If there is a reason, the "error" event has reported it.
    else if (wasReached && why === undefined) report('disconnected');
  });
}

/** What ioredis's types do not declare: attempts to connect since it was last ready, counted when it decides on the next. */
interface Attempts {
  readonly retryAttempts?: number;
}

/** Whether somebody has called disconnect() or quit(), rather than that the strategy has decided on no further attempt. */
function isEndedOnPurpose(client: Redis | Cluster, strategy: unknown): boolean {
  return client.status === 'end' && typeof strategy === 'function' && !(client as unknown as Attempts).retryAttempts;
}

/**
 * Reports whenever a cluster becomes able or unable to serve.
 *
 * ioredis gives up a cluster when no node is left. It finds out with the next command only, so the last connection that breaks
 * makes the library send one.
 */
export function watchCluster(cluster: Cluster, report: Report): void {
  let isUp = cluster.status === 'ready';
  let reason: unknown;

  const lost = (): void => {
    if (isUp) report('disconnected', reason);
    isUp = false;
    reason = undefined;
  };
  const remember = (error: unknown): void => {
    // "Connection is closed." follows the error that closed it.
    if (!(error instanceof Error) || error.message !== 'Connection is closed.') reason = error;
  };
  cluster.on('node error', remember);
  cluster.on('error', remember);
  cluster.on('ready', () => {
    if (cluster.status !== 'ready' || isUp) return;
    isUp = true;
    reason = undefined;
    report('connected');
  });
  cluster.on('-node', () => {
    if (cluster.status !== 'ready' || cluster.nodes().some(({ status }) => status === 'ready')) return;
    probeCluster(cluster).catch(() => {});
  });
  cluster.on('reconnecting', lost);
  cluster.on('end', () => {
    // Not "close", which comes after the end of each node too.
    if (isEndedOnPurpose(cluster, cluster.options.clusterRetryStrategy)) isUp = false;
    else lost();
  });
}
