import type { Connection } from './connection.js';
import type { Internals } from './internals.js';
import { ping } from './probe.js';

/** Milliseconds between two PINGs to a server that does not serve yet. */
const CONFIRM_INTERVAL = 200;
const NOT_YET = /^(LOADING|MASTERDOWN|BUSY) /;

/** Node's own: a test may have faked them. */
const { setTimeout: later } = globalThis;

/** Reports gains and losses of the connection, from the events of node-redis. */
export function watchClient(client: Internals, connection: Connection, pingClient = () => ping(client)): void {
  let session = 0;
  client.on('ready', () => {
    session += 1;
    void confirm(session);
  });
  client.on('error', (error) => {
    // While it is ready, an error is that of a reply, or of a PING.
    if (connection.isUp && !client.isReady) connection.lost(error);
    else connection.failed(error);
  });
  client.on('end', () => connection.left());

  /** "ready" comes without an answer of the server on some versions, and while it loads its data. */
  async function confirm(mine: number): Promise<void> {
    for (;;) {
      const error = await pingClient().then(
        () => undefined,
        (reason: Error) => reason,
      );
      if (mine !== session || connection.isClosing || !client.isReady) return;
      if (!error || !NOT_YET.test(error.message)) return connection.gained();
      connection.lastError = error;
      await new Promise<void>((resolve) => later(resolve, CONFIRM_INTERVAL).unref());
    }
  }
}
