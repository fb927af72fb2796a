import type { Cluster, Redis } from 'ioredis';
import { answers, probeCluster, probeRedis } from './redis-probe.js';

/** Clients that are being waited for, so that many checks of a silent server share one set of listeners. */
const opening = new WeakMap<Redis | Cluster, Promise<void>>();

/** Opens the connection. Resolves once it is there, however many attempts that takes; rejects if ioredis gives up. */
export async function connect(client: Redis | Cluster): Promise<void> {
  if (client.status === 'wait') openInBackground(client);
  if (client.status === 'end') throw notConnected(client);
  if (client.status !== 'ready') await nextReady(client, { patient: true });
}

/** One PING. Rejects at once while the connection is down: ioredis would queue the command until it is up again. */
export async function checkRedis(client: Redis): Promise<void> {
  await ready(client);
  try {
    await probeRedis(client);
  } catch (error) {
    if (!answers(error)) throw error;
  }
}

/** Asks one node whether every slot is served. Rejects at once while the cluster is down, as `checkRedis` does. */
export async function checkCluster(cluster: Cluster): Promise<void> {
  await ready(cluster);
  try {
    const info = await probeCluster(cluster);
    if (!/^cluster_state:ok\b/m.test(String(info))) {
      throw new Error('The cluster does not serve every slot: its state is not "ok"');
    }
  } catch (error) {
    if (!answers(error)) throw error;
  }
}

/** Resolves once the connection is there; rejects at once while it is down. */
export async function ready(client: Redis | Cluster): Promise<void> {
  const { status } = client;
  if (status === 'ready') return;
  if (status === 'wait') openInBackground(client);
  else if (status !== 'connecting' && status !== 'connect') throw notConnected(client);

  let opened = opening.get(client);
  if (!opened) {
    opened = nextReady(client, { patient: false }).finally(() => opening.delete(client));
    opening.set(client, opened);
  }
  await opened;
}

function openInBackground(client: Redis | Cluster): void {
  client.connect().catch(ignore); // the same failure comes as an event, with a better message
}

/** @param options `patient`: whether to go on waiting after an attempt that failed */
function nextReady(client: Redis | Cluster, { patient }: { patient: boolean }): Promise<void> {
  return new Promise((resolve, reject) => {
    const listeners = {
      ready: () => settle(resolve),
      end: () => settle(() => reject(notConnected(client))),
      ...(!patient && {
        error: (error: Error) => settle(() => reject(error)),
        close: () => settle(() => reject(notConnected(client))),
      }),
    };
    const settle = (outcome: () => void): void => {
      for (const [event, listener] of Object.entries(listeners)) client.off(event, listener);
      outcome();
    };
    for (const [event, listener] of Object.entries(listeners)) client.on(event, listener);
  });
}

function notConnected({ status }: Redis | Cluster): Error {
  return new Error(`There is no connection to Redis: the client's status is "${status}"`);
}

function ignore(): void {}
