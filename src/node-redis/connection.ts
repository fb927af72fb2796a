import { ClientsClosedError } from '../errors/clients-closed.error.js';
import type { CallInterceptor } from './call-interceptor.js';
import { replaceConnect, type AnyInternals } from './internals.js';
import type { Sockets } from './sockets.js';

/** Milliseconds between two looks at what is pending, and between two attempts to connect: at first, and at most. */
const LOOK_INTERVAL = 5;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 2_000;
/** Milliseconds that node-redis may take to end a client whose sockets have ended, before nobody waits for it any more. */
const END_TIMEOUT = 200;

/** Node's own, so that a test that has timers faked can close its application. */
const { setImmediate: immediately, setTimeout: later, clearTimeout: cancel } = globalThis;

/** What is different in a client of one server, of a cluster and of Sentinels. */
export interface Adapter {
  readonly client: AnyInternals;
  /** Where commands are given to it. */
  readonly commands: CallInterceptor;
  /** Where the user closes it: node-redis would leave some of these calls pending for ever. */
  readonly closings: CallInterceptor;
  /** Whether a first attempt that fails is followed by others, without being asked to. */
  readonly retries: boolean;
  /** Called when node-redis's own `connect` has succeeded. */
  connected?(): void;
  /** One round trip to each server that has to answer. */
  ping(): Promise<unknown>;
  /** Whether commands have been sent or queued, and not answered, as far as node-redis reports it. */
  isAwaited(): boolean;
  /** Takes no more commands and reads the answers that are due, if node-redis can do that in this state. */
  drain?(): void;
  /** Ends what there is by force. */
  destroy(): unknown;
}

/** The `report` parameter of a driver's `onConnection`. */
type Report = (state: 'connected' | 'disconnected', reason?: unknown) => void;

/** What is known of each client that this library has made. */
const connections = new WeakMap<object, Connection>();

export function connectionOf(client: object): Connection {
  return connections.get(client) as Connection;
}

/** One client's connection: opened once, watched, asked whether it is well, ended once. */
export class Connection {
  /** From the beginning of its end on. Nothing is reported any more. */
  isClosing = false;
  /** The newest reason why there is no connection. */
  lastError: unknown;
  onError: (error: unknown) => void = ignore;
  onConnection: Report = ignore;
  readonly #name: string;
  readonly #adapter: Adapter;
  readonly #sockets: Sockets;
  /** node-redis's own `connect`. */
  readonly #connect: () => Promise<unknown>;
  #isUp = false;
  #hasBeenUp = false;
  #opening: Promise<unknown> | undefined;
  #ending: Promise<void> | undefined;
  /** Settled when the connection is gained, or an attempt fails. */
  #change: Deferred | undefined;
  /** Rejected when the connection is lost while a health check waits for its answer. */
  #lossDuringCheck: Deferred | undefined;
  #wake: () => void = ignore;

  /** @param created what node-redis has made: the client that is injected, which inherits from `adapter.client` */
  constructor(created: object, name: string, sockets: Sockets, adapter: Adapter) {
    this.#name = name;
    this.#adapter = adapter;
    this.#sockets = sockets;
    this.#connect = replaceConnect(adapter.client, () => this.open());
    connections.set(created, this);
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  // ── open ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Connects, or joins the attempt in progress. After the end it is refused: node-redis would connect anew. */
  open(): Promise<unknown> {
    if (this.isClosing) return Promise.reject(this.closedError());
    if (!this.#opening || !this.#adapter.client.isOpen) {
      this.#opening = this.#attempt();
      this.#opening.catch(ignore); // those who wait for it get the error
    }
    return this.#opening;
  }

  /** What a command waits for before it is sent: for the first connection only. A client that the user has closed stays so. */
  openFirst(): Promise<unknown> | undefined {
    if (!this.#hasBeenUp) return this.open();
    return this.#adapter.client.isOpen ? undefined : Promise.reject(new Error('The client is closed'));
  }

  /** Connects, however many attempts that takes; rejects if node-redis is told not to try again. */
  async keepOpening(): Promise<void> {
    for (let pause = FIRST_PAUSE; !this.isClosing; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        await this.open();
        return;
      } catch (error) {
        if (this.isClosing) return;
        if (this.#adapter.retries) throw error;
        await this.#sleep(pause);
      }
    }
  }

  async #attempt(): Promise<void> {
    try {
      await this.#connect();
      this.#adapter.connected?.();
    } catch (error) {
      this.failed(error);
      if (this.#adapter.client.isOpen) await this.#adapter.destroy(); // node-redis 5 leaves a Sentinel client half open
      throw error;
    }
  }

  // ── watch ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  gained(): void {
    if (this.isClosing || this.#isUp) return;
    this.#isUp = true;
    this.#hasBeenUp = true;
    this.lastError = undefined;
    this.onConnection('connected');
    this.#change?.resolve();
    this.#change = undefined;
  }

  lost(reason?: unknown): void {
    if (this.isClosing || !this.#isUp) return;
    this.#isUp = false;
    this.lastError = reason;
    this.#lossDuringCheck?.reject(this.#notConnected());
    this.onConnection('disconnected', reason);
  }

  /** Called when the user has closed the client, which does not count as a loss. */
  left(): void {
    this.#isUp = false;
  }

  /** An error that is no loss: an attempt that failed, a node of several, a protocol error. */
  failed(error: unknown): void {
    if (this.isClosing || error === this.lastError) return; // node-redis rejects with what it has emitted
    if (!this.#isUp) this.lastError = error;
    this.onError(error);
    if (this.#isUp) return;
    this.#change?.reject(this.#notConnected());
    this.#change = undefined;
  }

  /** Rejects at once while there is no connection: node-redis would queue the command until there is one. */
  async check(): Promise<void> {
    if (!this.#isUp) {
      const { isOpen } = this.#adapter.client;
      // Closed by whoever has it, or trying again and again.
      if (this.isClosing || (isOpen ? this.lastError !== undefined : this.#hasBeenUp)) throw this.#notConnected();
      this.lastError = undefined;
      this.open().catch(ignore); // the same failure comes as an event
      await (this.#change ??= deferred()).promise;
    }
    // A Sentinel client keeps a PING for the next primary, so that it may not end with the connection.
    const loss = deferred();
    this.#lossDuringCheck = loss;
    try {
      await Promise.race([this.#adapter.ping(), loss.promise]);
    } finally {
      if (this.#lossDuringCheck === loss) this.#lossDuringCheck = undefined;
    }
  }

  #notConnected(): Error {
    const { lastError: cause } = this;
    const reason = cause instanceof Error ? `: ${cause.message}` : typeof cause === 'string' ? `: ${cause}` : '';
    return new Error(`There is no connection to Redis${reason}`, { cause });
  }

  // ── close ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Waits until every command has been answered or has failed, then ends everything. */
  async close(): Promise<void> {
    this.#stop();
    this.#adapter.commands.refuse(() => this.closedError());
    await turn();
    while (!this.#ending && (this.#adapter.commands.pending > 0 || this.#adapter.isAwaited())) {
      this.#adapter.drain?.();
      await new Promise<void>((resolve) => later(resolve, LOOK_INTERVAL));
    }
    await this.destroy();
  }

  /** Ends everything now, whatever its state. What is pending rejects; nothing waits for a server. */
  destroy(): Promise<void> {
    return (this.#ending ??= this.#end());
  }

  async #end(): Promise<void> {
    this.#stop();
    this.#adapter.commands.refuse(() => this.closedError());
    const ended = Promise.resolve(this.#destroyAll());
    this.#sockets.end();
    await turn();
    this.#destroyAll(); // a client that node-redis was just making for a node that it has found
    for (const calls of [this.#adapter.commands, this.#adapter.closings]) calls.reject(this.closedError());
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([ended, new Promise((resolve) => (timer = later(resolve, END_TIMEOUT)))]);
    cancel(timer);
  }

  #destroyAll(): unknown {
    try {
      return Promise.resolve(this.#adapter.destroy()).catch(ignore);
    } catch {
      return undefined; // node-redis 5 throws if the client is closed
    }
  }

  #stop(): void {
    this.isClosing = true;
    this.#wake();
    this.#change?.reject(this.closedError());
    this.#change = undefined;
  }

  closedError(): ClientsClosedError {
    return new ClientsClosedError(this.#name, 'request');
  }

  async #sleep(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = later(resolve, ms);
    });
    cancel(timer);
  }
}

/** Ends with the turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => immediately(resolve));
}

interface Deferred {
  promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

function deferred(): Deferred {
  let resolve = ignore;
  let reject: (error: Error) => void = ignore;
  const promise = new Promise<void>((fulfil, fail) => {
    resolve = fulfil;
    reject = fail;
  });
  promise.catch(ignore);
  return { promise, resolve, reject };
}

function ignore(): void {}
