interface Pingable {
  sendCommand(args: string[]): Promise<unknown>;
}

/** A server that refuses PING has answered: it may not be allowed, or not be known to a proxy. */
const ANSWERED = /^(NOPERM|ERR unknown command)/i;

/** The PINGs in flight: a server that is silent gets one, however often a client is asked. */
const inFlight = new WeakMap<Pingable, Promise<void>>();

/** One PING. Rejects if the server answers that it cannot be used, or if the connection breaks. */
export function ping(client: Pingable): Promise<void> {
  let probe = inFlight.get(client);
  if (!probe) {
    probe = client
      .sendCommand(['PING'])
      .then(ignore, (error: Error) => {
        if (!ANSWERED.test(error.message)) throw error;
      })
      .finally(() => inFlight.delete(client));
    probe.catch(ignore);
    inFlight.set(client, probe);
  }
  return probe;
}

export function isPinging(client: Pingable): boolean {
  return inFlight.has(client);
}

function ignore(): void {}
