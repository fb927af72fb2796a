import type { Cluster, Redis } from 'ioredis';
import { sendOwnCommand, type Callback } from './own-commands.js';
import { isQueued } from './pending-commands.js';

/** Probes that have no answer yet. */
const pending = new WeakMap<Redis | Cluster, Promise<unknown>>();
/** The callback of a client's last probe. */
const latest = new WeakMap<Redis | Cluster, Callback>();

/** Replies of a server that is there, but does not serve this client, or nobody for now. */
const CANNOT_SERVE =
  /^(NOAUTH|WRONGPASS|DENIED|LOADING|BUSY|MASTERDOWN|MISCONF|CLUSTERDOWN|NOREPLICAS|READONLY|OOM)\b|max number of clients/;

/**
 * One PING. While it has no answer, whoever asks waits for that one. It rejects when the connection is lost: ioredis keeps it,
 * to send it again once there is another.
 */
export function probeRedis(client: Redis): Promise<unknown> {
  return once(client, (done) =>
    // Auto-pipelining may keep it back behind a pipeline that has no answer yet, and loses the callback.
    client.options.enableAutoPipelining ? client.pipeline().ping(done).exec() : client.ping(done),
  );
}

/** Asks one node for CLUSTER INFO. While it has no answer, whoever asks waits for that one. */
export function probeCluster(cluster: Cluster): Promise<unknown> {
  return once(cluster, (done) => cluster.cluster('INFO', done));
}

/** Whether a probe that has failed shows that the client can be used: the server refuses only the probe itself. */
export function answers(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError' && !CANNOT_SERVE.test(error.message);
}

function once(client: Redis | Cluster, send: (callback: Callback) => unknown): Promise<unknown> {
  let probe = pending.get(client);
  if (probe) return probe;
  const last = latest.get(client);
  if (last && isQueued(client, last)) {
    // ioredis has given it up after commandTimeout, but the server has yet to answer it.
    return Promise.reject(new Error('The server has not answered the health check before this one'));
  }
  const answer = sendOwnCommand((callback) => {
    latest.set(client, callback);
    return send(callback);
  });
  probe = untilClose(client, answer).finally(() => pending.delete(client));
  pending.set(client, probe);
  return probe;
}

/** Settles as the answer does, or rejects when the client tells that its connection has closed. */
function untilClose(client: Redis | Cluster, answer: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const closed = (): void => {
      latest.delete(client); // what ioredis sends again is no reason not to ask anew
      reject(new Error('The connection was lost before the server had answered the health check'));
    };
    client.once('close', closed);
    answer.finally(() => client.off('close', closed)).then(resolve, reject);
  });
}
