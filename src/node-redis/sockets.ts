import { setMaxListeners } from 'node:events';

/** What node-redis takes about a socket, as far as it matters here. It hands the rest to Node, `signal` included. */
export interface SocketOptions {
  readonly signal?: AbortSignal | undefined;
  readonly reconnectStrategy?: false | number | ((retries: number, cause: Error) => false | Error | number) | undefined;
}

/** Milliseconds between two attempts to connect, unless the options say otherwise: at first, at most, and added at random. */
const FIRST_DELAY = 50;
const LONGEST_DELAY = 2_000;
const JITTER = 200;

/**
 * Ends every socket that node-redis opens, whatever state it is in. node-redis itself forgets one that is still connecting,
 * and goes on with attempts that have begun.
 */
export class Sockets {
  readonly #signal = new EndSignal();

  /** Adds to a client's options what ends its sockets, and stops it from opening others. */
  options(given: SocketOptions = {}): SocketOptions {
    const { reconnectStrategy = defaultStrategy, signal } = given;
    const own = this.#signal;
    signal?.addEventListener('abort', () => own.dispatchEvent(new Event('abort')));
    return {
      ...given,
      signal: own as unknown as AbortSignal,
      reconnectStrategy: (retries, cause) => {
        if (own.isOver) return false;
        return typeof reconnectStrategy === 'function' ? reconnectStrategy(retries, cause) : reconnectStrategy;
      },
    };
  }

  end(): void {
    this.#signal.end();
  }
}

/**
 * Node's sockets accept it as an AbortSignal. It never says that it is aborted: a socket that is made with an aborted signal is
 * destroyed, but `connect` opens it all the same. Instead it ends such a late socket as soon as that has begun to connect.
 */
class EndSignal extends EventTarget {
  readonly aborted = false;
  isOver = false;

  constructor() {
    super();
    setMaxListeners(0, this); // a cluster has a socket for each node
  }

  get reason(): Error {
    return new Error('The client is closed');
  }

  end(): void {
    this.isOver = true;
    this.dispatchEvent(new Event('abort'));
  }

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    super.addEventListener(...args);
    if (this.isOver) queueMicrotask(() => this.dispatchEvent(new Event('abort')));
  }
}

/** As node-redis waits by default, but also after a `socketTimeout`, where that would give the client up for good. */
function defaultStrategy(retries: number): number {
  return Math.min(FIRST_DELAY * 2 ** retries, LONGEST_DELAY) + Math.floor(Math.random() * JITTER);
}
