import type { Cluster, Redis } from 'ioredis';
import { sendOwnCommand } from './own-commands.js';

/** Probes that have no answer yet. */
const pending = new WeakMap<Redis | Cluster, Promise<unknown>>();

/** Replies of a server that is there, but does not serve this client, or nobody for now. */
const CANNOT_SERVE =
  /^(NOAUTH|WRONGPASS|DENIED|LOADING|BUSY|MASTERDOWN|MISCONF|CLUSTERDOWN|NOREPLICAS|READONLY|OOM)\b|max number of clients/;

/** One PING. While it has no answer, whoever asks waits for that one. */
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

function once(client: Redis | Cluster, send: Parameters<typeof sendOwnCommand>[0]): Promise<unknown> {
  let probe = pending.get(client);
  if (!probe) {
    probe = sendOwnCommand(send).finally(() => pending.delete(client));
    pending.set(client, probe);
  }
  return probe;
}
