import type { ClientDefinition } from '../definition/client-definition.js';
import { ClientsCreateTimeoutError } from '../errors/clients-create-timeout.error.js';
import type { ClientEventDetails } from '../events/client-event.js';
import { describeError } from '../errors/describe-error.js';
import type { Redactor } from '../redaction/redactor.js';
import type { Cancellation } from './cancellation.js';
import { outsideOfRequests } from './build-tracker.js';
import type { ClientStatus } from './client-status.js';
import { within } from './deadline.js';
import { dispose } from './dispose.js';
import type { HeldClient } from './held-client.js';
import type { Closing } from './holding.js';

/** Milliseconds between two checks of a client that is not ready yet: at first, and at most. */
const FIRST_PAUSE = 10;
const LONGEST_PAUSE = 100;
/** Milliseconds after which a check that has not ended is abandoned, so that the next one asks the client again. */
const LONGEST_CHECK = 30_000;

/** At most this many reports of a client that is still being built are kept. */
const MOST_KEPT_BACK = 10;

/** What `status()` reports of a client that is built. */
export type ClientHistory = Pick<ClientStatus, 'createdAt' | 'createDuration' | 'connection' | 'connectedAt'>;

/** What an open client needs from its owner. */
export interface Surroundings {
  readonly name: string;
  readonly definition: ClientDefinition;
  readonly redactor: Redactor;
  /** Cancels everything that waits for the client when it is about to close. */
  readonly cancellation: Cancellation;
  /** Publishes what happens to the client. */
  emit(details: ClientEventDetails): void;
  /** The message of the newest error that was published, unless it is older than `date`. */
  newestErrorSince(date: Date): string | undefined;
}

/** Holds the clients of many keys. */
export interface Pool {
  clients(): Iterable<HeldClient>;
  status(): NonNullable<ClientStatus['members']>;
  /** Resolves within `timeout` milliseconds, with an error if some of the clients in use are down. */
  check(timeout: number): Promise<Error | undefined>;
  /** Never rejects. Waits for running work for at most `longestWork` milliseconds. */
  close(closing: Closing, longestWork: number): Promise<Error | undefined>;
}

/** A client that is built: connects, watches and checks it, and disposes of it once. */
export class OpenClient {
  readonly history: ClientHistory = {};
  /** Reports of the driver are held back while 'built', published while 'serving', and ignored once 'ended'. */
  #stage: 'built' | 'serving' | 'ended' = 'built';
  #keptBack: (() => void)[] | undefined;
  /** When it began to connect or lost its connection, on the clock of `performance.now()`. */
  #connectionSince = 0;
  #reported: unknown;
  #opened: Promise<void> | undefined;
  #check: Promise<undefined> | undefined;

  constructor(
    readonly instance: unknown,
    private readonly owner: Surroundings,
    /** Set for keyed clients, which the pool checks and closes. */
    readonly pool?: Pool,
  ) {}

  // ── watch ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Subscribes to what the driver reports about the client. Throws what its hooks throw. */
  watch(): void {
    const { driver } = this.owner.definition.blueprint;
    const report = (error: unknown): void => this.#whenServing(() => this.report(error));
    const reportConnection = (state: 'connected' | 'disconnected', reason?: unknown): void =>
      this.#whenServing(() => this.#changeConnection(state, reason));
    const hooks = [driver.onError?.(this.instance, report), driver.onConnection?.(this.instance, reportConnection)];
    // A hook that fails after it has returned must not crash the process.
    for (const hook of hooks) if (hook !== undefined) void settle(hook).catch(report);
  }

  /** Marks the client as built: from now on it is handed out. */
  serve(createDuration: number): void {
    this.#stage = 'serving';
    this.#connectionSince = performance.now();
    Object.assign(this.history, { createdAt: new Date(), createDuration });
  }

  /** Publishes what was reported while the client was being built. */
  replay(): void {
    const reports = this.#keptBack ?? [];
    this.#keptBack = undefined;
    for (const report of reports) this.#whenServing(report);
  }

  #whenServing(report: () => void): void {
    if (this.#stage === 'built') {
      if ((this.#keptBack ??= []).length < MOST_KEPT_BACK) this.#keptBack.push(report);
    } else if (this.#stage === 'serving') report();
  }

  /** Publishes a background error of the client. */
  report(error: unknown): void {
    if (this.#stage !== 'serving') return; // sockets may emit errors while they are closed
    // connect() may reject with the same error that the client has emitted already.
    if (typeof error === 'object' && error === this.#reported) return;
    this.#reported = error;
    this.owner.emit({ type: 'error', error: this.owner.redactor.error(error) });
  }

  #changeConnection(state: 'connected' | 'disconnected', reason: unknown): void {
    const { history, owner } = this;
    const since = this.#connectionSince;
    if (state === 'connected') {
      if (history.connection === 'connected') return;
      history.connection = 'connected';
      history.connectedAt = new Date();
      owner.emit({ type: 'connected', duration: elapsed(since) });
    } else if (state !== 'disconnected') {
      this.report(new Error('onConnection reported a state that is neither "connected" nor "disconnected"'));
    } else if (history.connection === 'connected') {
      history.connection = 'disconnected';
      this.#connectionSince = performance.now();
      owner.emit({ type: 'disconnected', ...(reason !== undefined && { error: owner.redactor.error(reason) }) });
    } else {
      this.report(reason ?? new Error('the server closed the connection before the client was ready'));
    }
  }

  // ── connect ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Opens the connections in the background; waits until the client is ready if its lifecycle says so. */
  open(): Promise<void> {
    this.#opened ??= outsideOfRequests(() => this.#open()).catch((error: unknown) => {
      this.#opened = undefined; // the next caller tries again
      throw error;
    });
    return this.#opened;
  }

  async #open(): Promise<void> {
    const { connect, waitUntilReady } = this.owner.definition.lifecycle;
    if (connect !== 'use') void this.#connect().catch((error: unknown) => this.report(error));
    if (waitUntilReady) await this.#untilReady();
  }

  async #connect(): Promise<void> {
    const { driver } = this.owner.definition.blueprint;
    if (!driver.connect) return;
    const startedAt = performance.now();
    if (driver.onConnection) {
      this.#connectionSince = startedAt;
      this.history.connection ??= 'connecting';
    }
    try {
      await driver.connect(this.instance);
      // A driver with onConnection has already reported this one.
      if (this.#stage === 'serving' && !driver.onConnection) {
        this.owner.emit({ type: 'connected', duration: elapsed(startedAt) });
      }
    } catch (error) {
      this.report(error);
    }
  }

  async #untilReady(): Promise<void> {
    const { createTimeout } = this.owner.definition.lifecycle;
    const deadline = performance.now() + createTimeout;
    let found: Error | undefined;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      const problem = await this.check(Math.max(0, deadline - performance.now()));
      if (!problem) return;
      this.owner.cancellation.throwIfCancelled();
      const left = deadline - performance.now();
      // The deadline has cut off the last check, so that it knows no reason. Timers may be early by almost 2 ms.
      if (left < 2) throw this.#notReady(found ?? problem);
      found = problem;
      await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)));
    }
  }

  #notReady(cause: Error): Error {
    const { name, definition } = this.owner;
    const reason = this.#explain(cause, this.history.createdAt);
    const { createTimeout } = definition.lifecycle;
    return new ClientsCreateTimeoutError(name, createTimeout, `it is not ready: ${reason}`, { cause });
  }

  /** Between two attempts to connect, a check only finds the client not connected; the last reported error says why. */
  #explain(problem: Error, since: Date | undefined): string {
    const found = describeError(problem);
    const reported = since && this.owner.newestErrorSince(since);
    return reported === undefined || found.includes(reported) ? found : `${found}; its last error: ${reported}`;
  }

  // ── check ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves with an error if the client is down. Checks never pile up: concurrent callers share one. */
  async check(timeout: number): Promise<Error | undefined> {
    if (this.pool) return this.pool.check(timeout);
    const { redactor, cancellation } = this.owner;
    const late = () => new Error(`no answer within ${Math.round(timeout)} ms`);
    try {
      return await within<Error | undefined>({ timeout, late, cancellation }, () => this.#probe());
    } catch (error) {
      return redactor.error(error);
    }
  }

  /** What a check has found and, while there is no connection, why there is none. */
  describe(problem: Error): string {
    const { connection, createdAt, connectedAt = createdAt } = this.history;
    const isWatched = this.owner.definition.blueprint.driver.onConnection !== undefined;
    return this.#explain(problem, isWatched && connection !== 'connected' ? connectedAt : undefined);
  }

  /** The running check, or a new one. What the driver's check resolves with is ignored. */
  #probe(): Promise<undefined> {
    if (!this.#check) {
      const check = this.#runCheck();
      const forget = (): void => {
        clearTimeout(timer);
        if (this.#check === check) this.#check = undefined;
      };
      const timer = setTimeout(forget, LONGEST_CHECK).unref();
      check.then(forget, forget);
      this.#check = check;
    }
    return this.#check;
  }

  async #runCheck(): Promise<undefined> {
    await this.owner.definition.blueprint.driver.check?.(this.instance);
  }

  // ── close ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Stops publishing what the client reports. */
  end(): void {
    this.#stage = 'ended';
    this.#keptBack = undefined;
  }

  /** Closes the client gracefully, else by force. Never rejects. Resolves with an error if it did not close gracefully. */
  dispose(closing: Closing): Promise<Error | undefined> {
    this.end();
    const { definition, redactor } = this.owner;
    if (!this.pool) return dispose(definition, this.instance, redactor, closing);
    return this.pool.close(closing, definition.declaredLifecycle?.closeTimeout ?? Infinity);
  }
}

/** Awaits whatever a hook has returned, a promise or not, without calling its `then`, which an object may lack or break. */
async function settle(returned: unknown): Promise<void> {
  await (returned as Promise<unknown>);
}

/** Milliseconds since `startedAt`, rounded to hundredths. */
export function elapsed(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 100) / 100;
}
