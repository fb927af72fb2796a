import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export interface TcpProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Resolves as soon as `count` connections are open at once. */
  connected(count: number): Promise<void>;
  /** Resolves as soon as no connection is open. */
  disconnected(): Promise<void>;
  /** Delays replies by this many milliseconds. 0 ends the delay. */
  delay(ms: number): void;
  /** Goes silent: connections are accepted and stay open, but nothing is delivered in either direction until `thaw()`. */
  freeze(): void;
  /** Holds replies back until `thaw()`, while requests still reach the server. */
  holdReplies(): void;
  /** Delivers what was held back, and everything from then on. */
  thaw(): void;
  /** Resets every open connection. New ones are accepted. */
  cut(): void;
  /** Resets every open connection and refuses new ones, like a server that is down. */
  refuse(): Promise<void>;
  /** Listens again, on the same port, after `refuse()`. */
  accept(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a proxy on a free loopback port, in front of a server on this machine. Tests make it fail. */
export async function startTcpProxy(target: { port: number; host?: string }): Promise<TcpProxy> {
  const host = '127.0.0.1';
  const pairs = new Set<readonly [client: Socket, upstream: Socket]>();
  const gates = { requests: openGate(), replies: openGate() };
  const watchers = new Set<() => void>();
  let accepted = 0;
  let latency = 0;

  const server = createServer((client) => {
    accepted += 1;
    const upstream = connect(target.port, target.host ?? host);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const end = (): void => {
      client.destroy();
      upstream.destroy();
      if (pairs.delete(pair)) notify();
    };
    for (const socket of pair) socket.setNoDelay().on('error', end).on('close', end);
    pump(client, upstream, () => gates.requests.opened).catch(end);
    pump(upstream, client, async () => {
      if (latency > 0) await wait(latency, undefined, { ref: false });
      await gates.replies.opened;
    }).catch(end);
    notify();
  });
  const notify = (): void => {
    for (const check of watchers) check();
  };
  const until = (reached: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (reached()) resolve(void watchers.delete(check));
      };
      watchers.add(check);
      check();
    });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, host);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const cut = (): void => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  };
  const thaw = (): void => {
    gates.requests.open();
    gates.replies.open();
  };
  const refuse = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    cut();
    await closed;
  };
  const close = async (): Promise<void> => {
    await refuse();
    thaw();
  };
  const port = await listen(0);

  return {
    host,
    port,
    get connections() {
      return pairs.size;
    },
    get accepted() {
      return accepted;
    },
    connected: (count) => until(() => pairs.size >= count),
    disconnected: () => until(() => pairs.size === 0),
    delay(ms) {
      latency = ms;
    },
    freeze() {
      gates.requests.shut();
      gates.replies.shut();
    },
    holdReplies: () => gates.replies.shut(),
    thaw,
    cut,
    refuse,
    async accept() {
      if (!server.listening) await listen(port);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Copies in order. Each chunk waits for `mayPass`, and then until the other side can take it. */
async function pump(from: Socket, to: Socket, mayPass: () => Promise<void>): Promise<void> {
  for await (const chunk of from) {
    await mayPass();
    if (to.destroyed) return;
    if (!to.write(chunk as Buffer)) await once(to, 'drain');
  }
  await mayPass();
  to.end();
}

interface Gate {
  opened: Promise<void>;
  open(): void;
  shut(): void;
}

function openGate(): Gate {
  const gate: Gate = {
    opened: Promise.resolve(),
    open() {},
    shut() {
      gate.open();
      gate.opened = new Promise((resolve) => {
        gate.open = resolve;
      });
    },
  };
  return gate;
}
