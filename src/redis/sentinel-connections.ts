import type { Redis, RedisOptions } from 'ioredis';

/**
 * Milliseconds. ioredis disconnects each connection when it has been answered, and again if it has ended before, which
 * starts a timer of this length that nothing stops; its default is 2,000.
 */
const DISCONNECT_TIMEOUT = 100;

/** How ioredis talks to Sentinels: on connections of its own, which its types do not declare. */
interface SentinelConnector {
  connectToSentinel?(endpoint: unknown, options?: RedisOptions): Redis;
  readonly failoverDetector?: { readonly sentinels: readonly { readonly client: Redis }[] } | null;
}

/** The connections that are open to Sentinels, by the client for which ioredis has made them. */
const connections = new WeakMap<Redis, Set<Redis>>();

/**
 * Keeps sight of the connections on which ioredis asks Sentinels, so that they end when the client does: on a Sentinel
 * that is silent, ioredis would leave one open for 4 s more.
 */
export function watchSentinels(client: Redis): void {
  const connector = connectorOf(client);
  const connectToSentinel = connector?.connectToSentinel?.bind(connector);
  if (!connector || !connectToSentinel) return;
  const open = new Set<Redis>();
  connections.set(client, open);
  connector.connectToSentinel = (endpoint, options) => {
    // ioredis asks once more after a pause, even if the client has ended meanwhile.
    const isOver = client.status === 'end';
    const sentinel = connectToSentinel(endpoint, {
      disconnectTimeout: DISCONNECT_TIMEOUT,
      ...options,
      ...(isOver && { lazyConnect: true }),
    });
    sentinel.on('error', ignore); // of the failover detector's, ioredis would print each
    if (isOver) sentinel.disconnect();
    else {
      open.add(sentinel);
      sentinel.once('end', () => open.delete(sentinel));
    }
    return sentinel;
  };
}

/** The connections to Sentinels that are to end with the client. */
export function sentinelsOf(client: Redis): Redis[] {
  // Also the failover detector's that have ended: disconnecting the client starts a timer for the socket of each.
  const detecting = connectorOf(client)?.failoverDetector?.sentinels ?? [];
  return [...new Set([...(connections.get(client) ?? []), ...detecting.map((sentinel) => sentinel.client)])];
}

/** A mock of ioredis has none. */
function connectorOf(client: Redis): SentinelConnector | undefined {
  return (client as unknown as { connector?: SentinelConnector }).connector;
}

function ignore(): void {}
