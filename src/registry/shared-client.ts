import type { InjectionToken } from '@nestjs/common';
import type { ClientDefinition } from '../definition/client-definition.js';
import { ClientsClosedError } from '../errors/clients-closed.error.js';
import { ClientsCreateFailedError } from '../errors/clients-create-failed.error.js';
import { ClientsCreateTimeoutError } from '../errors/clients-create-timeout.error.js';
import { ClientsError } from '../errors/clients.error.js';
import { Redactor, describeError } from '../errors/redactor.js';
import type { ClientOccurrence } from '../events/client-event.js';
import type { BuildTracker } from './build-tracker.js';
import type { ClientHealth, ClientState, ClientStatus } from './client-status.js';
import { within } from './deadline.js';
import { dispose } from './dispose.js';
import { Refusal } from './refusal.js';

/** Milliseconds between two looks at a client that is not ready yet: at first, and at most. */
const FIRST_PAUSE = 10;
const LONGEST_PAUSE = 100;

/** What one build gets from the application that asks for it. */
export interface BuildRequest {
  readonly tracker: BuildTracker<SharedClient>;
  /** The class that asked, if one did. */
  readonly consumer: string | undefined;
  /** Whether bootstrap has succeeded, so that connections may be opened. */
  started(): boolean;
  /** Gets what the client injects from Nest. */
  resolve(tokens: readonly InjectionToken[]): Promise<readonly unknown[]>;
  /** Gets what the factory of `forRootAsync` supplies for the client. */
  supply(): Promise<unknown>;
}

/** One client's life: built once on demand, shared, opened, checked, closed once. It knows nothing of Nest. */
export class SharedClient {
  state: ClientState = 'idle';
  instance: unknown;
  /** What `status()` tells of its life so far. */
  history: Pick<ClientStatus, 'createdAt' | 'createDuration' | 'lastError'> = {};
  /** The clients that this one's build asked for. */
  readonly dependencies = new Set<SharedClient>();

  readonly #redactor = new Redactor();
  /** The newest background error. */
  #reported: unknown;
  #shared: Promise<unknown> | undefined;
  #creation: Promise<unknown> | undefined;
  #pending = '';
  #opened: Promise<void> | undefined;
  /** Given as soon as nobody gets the client any more. */
  readonly #refusal = new Refusal();
  readonly #discards = new Set<Promise<Error | undefined>>();

  constructor(
    readonly name: string,
    readonly definition: ClientDefinition,
    readonly emit: (occurrence: ClientOccurrence) => void,
  ) {}

  // ── build ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The one instance, built if it is not there. A failed build is forgotten, so that the next call tries again. */
  get(request: BuildRequest): Promise<unknown> {
    return (this.#shared ??= this.#build(request));
  }

  async #build(request: BuildRequest): Promise<unknown> {
    const whom = request.consumer ? { consumer: request.consumer } : {};
    const startedAt = performance.now();
    this.state = 'creating';
    this.dependencies.clear();
    this.emit({ type: 'creating', ...whom });

    const creation = request.tracker.run(this, () => this.#create(request));
    this.#creation = creation;
    try {
      const { createTimeout } = this.definition.lifecycle;
      const late = () => {
        throw new ClientsCreateTimeoutError(this.name, createTimeout, this.#pending);
      };
      const instance = await this.#refusal.within(this.name, createTimeout, () => creation, late);
      if (this.#refusal.isGiven) throw this.#closedError(); // in the very turn in which the build has ended
      this.#creation = undefined;
      this.instance = instance;
      this.state = 'open';
      const duration = elapsed(startedAt);
      this.history = { ...this.history, createdAt: new Date(), createDuration: duration };
      this.emit({ type: 'created', duration, ...whom });
      if (request.started()) await this.#refusal.within(this.name, Infinity, () => this.open());
      return instance;
    } catch (error) {
      this.#shared = undefined;
      // Whatever the build has made, or makes after all when nobody waits for it any more, is closed; once it is open,
      // close() may have come first.
      if (this.state === 'creating' || this.state === 'open') {
        creation.then((instance) => this.#discard(instance), ignore);
        if (!this.#refusal.isGiven) this.#creation = undefined; // nobody waits for it at shutdown
        this.instance = undefined;
        this.history = {};
        this.state = this.#refusal.isGiven ? 'closed' : 'idle';
      }
      const failure = this.#explain(error);
      this.#remember(failure);
      this.emit({ type: 'createFailed', duration: elapsed(startedAt), error: failure });
      throw failure;
    }
  }

  async #create(request: BuildRequest): Promise<unknown> {
    const { blueprint } = this.definition;
    this.#pending = 'what it injects is not there yet';
    const dependencies = await request.resolve(blueprint.inject);
    this.#redactor.keepData(dependencies);
    this.#pending = 'the factory of forRootAsync has not returned yet';
    const supplied = blueprint.configurable ? await request.supply() : undefined;
    this.#pending = 'create() has not returned yet';
    const instance = await blueprint.create({ name: this.name, dependencies, supplied, redactor: this.#redactor });
    if (instance === undefined || instance === null) throw new TypeError('create() returned no client');
    try {
      blueprint.driver.onError?.(instance, (error) => {
        // What a build that was too late has made may complain as well.
        if (this.instance === instance) this.report(error);
      });
    } catch (error) {
      await this.#discard(instance);
      throw error;
    }
    return instance;
  }

  /** Notes that this client, which is being built, is built on `dependency`; or throws because it cannot be. */
  dependOn(dependency: SharedClient): void {
    const path = dependency.state === 'creating' ? findPath(dependency, this) : undefined;
    if (path) {
      const names = [this, ...path].map(({ name }) => `"${name}"`).join(' -> ');
      throw new ClientsCreateFailedError(this.name, `it is built on itself: ${names}`);
    }
    if (this.definition.lifecycle.scope === 'process' && dependency.definition.lifecycle.scope === 'app') {
      const problem = `its scope is "process", but "${dependency.name}", which it is built on, closes with one application`;
      throw new ClientsCreateFailedError(this.name, `${problem}. Give both the same scope`);
    }
    this.dependencies.add(dependency);
  }

  #explain(error: unknown): Error {
    const { name } = this;
    // One that is not about another client says already whose it is, what is wrong and how to mend it.
    if (isClientsError(error) && (error.client ?? name) === name) return error;
    const cause = this.#redactor.error(error);
    return new ClientsCreateFailedError(name, describeError(cause), { cause });
  }

  // ── connect ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Opens the client's connections in the background; waits until it is ready if its lifecycle says so. */
  open(): Promise<void> {
    if (this.#refusal.isGiven) return Promise.reject(this.#closedError());
    if (this.state !== 'open') return Promise.resolve(); // as soon as it is built
    this.#opened ??= this.#open().catch((error: unknown) => {
      this.#opened = undefined; // whoever asks next looks again
      throw error;
    });
    return this.#opened;
  }

  async #open(): Promise<void> {
    const { connect, waitUntilReady } = this.definition.lifecycle;
    if (connect === 'bootstrap') void this.#connect();
    if (waitUntilReady) await this.#untilReady();
  }

  async #connect(): Promise<void> {
    const { driver } = this.definition.blueprint;
    if (!driver.connect) return;
    const startedAt = performance.now();
    try {
      await driver.connect(this.instance);
      if (this.state === 'open') this.emit({ type: 'connected', duration: elapsed(startedAt) });
    } catch (error) {
      this.report(error);
    }
  }

  async #untilReady(): Promise<void> {
    const { createTimeout } = this.definition.lifecycle;
    const deadline = performance.now() + createTimeout;
    let found: Error | undefined;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      const problem = await this.#probe(Math.max(0, deadline - performance.now()));
      if (!problem) return;
      if (this.#refusal.isGiven) throw this.#closedError();
      const left = deadline - performance.now();
      // The last look has hardly any time, and finds only that.
      if (left <= 0) throw this.#notReady(found ?? problem);
      found = problem;
      await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)));
    }
  }

  #notReady(cause: Error): Error {
    const { name } = this;
    const { lastError, createdAt } = this.history;
    // Between two attempts to connect a check finds no more than that; what the client has reported tells why.
    const found = describeError(cause);
    const reported = lastError && createdAt && lastError.at >= createdAt ? lastError.message : found;
    const reason = reported === found ? found : `${found}; its last error: ${reported}`;
    const { createTimeout } = this.definition.lifecycle;
    return new ClientsCreateTimeoutError(name, createTimeout, `it is not ready: ${reason}`, { cause });
  }

  // ── serve ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Asks the client whether it is well, within `timeout` milliseconds. Never builds it, never rejects. */
  async check(timeout: number): Promise<ClientHealth> {
    const { name, state } = this;
    const { lastError } = this.history;
    const about = { name, kind: this.definition.kind };
    if (state === 'idle' || state === 'creating') {
      const error = lastError && { name: lastError.name, message: lastError.message }; // of a build that failed
      return { ...about, status: 'idle', ...(error && { error }) };
    }
    const startedAt = performance.now();
    const problem = await this.#probe(timeout);
    const duration = elapsed(startedAt);
    return problem
      ? { ...about, status: 'down', duration, error: summarize(problem) }
      : { ...about, status: 'up', duration };
  }

  /** Why the client cannot be used, if so. */
  async #probe(timeout: number): Promise<Error | undefined> {
    const { name, instance, state, definition } = this;
    if (state !== 'open') return this.#closedError();
    const look = async () => void (await definition.blueprint.driver.check?.(instance));
    const late = () => new Error(`no answer within ${Math.round(timeout)} ms`);
    try {
      return await this.#refusal.within<Error | undefined>(name, timeout, look, late);
    } catch (error) {
      return this.#redactor.error(error);
    }
  }

  /** Publishes an error of the client, which nobody has called. */
  report(error: unknown): void {
    if (this.state !== 'open') return; // sockets complain while they are being closed
    // One failure comes twice when connect() rejects with what the client has emitted.
    if (typeof error === 'object' && error === this.#reported) return;
    this.#reported = error;
    const safe = this.#redactor.error(error);
    this.#remember(safe);
    this.emit({ type: 'error', error: safe });
  }

  #remember(error: Error): void {
    this.history.lastError = { ...summarize(error), at: new Date() };
  }

  #closedError(): Error {
    return new ClientsClosedError(this.name);
  }

  // ── close ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** From now on nobody gets the client; whoever waits for it is refused at once. */
  refuse(): void {
    this.#refusal.give();
    if (this.state === 'idle') this.state = 'closed';
  }

  /**
   * Closes the client, which nobody gets any more: gracefully, else by force. It is called once. Never rejects.
   *
   * @param remaining the milliseconds left for closing everything
   * @returns why it did not close gracefully, if so
   */
  async close(remaining: () => number): Promise<Error | undefined> {
    const startedAt = performance.now();
    const { state, instance } = this;
    let failure: Error | undefined;
    if (this.#creation) failure = await this.#awaitCreation(remaining);
    if (state === 'open' && this.definition.lifecycle.owned) {
      this.state = 'closing';
      this.emit({ type: 'closing' });
      failure = await dispose(this.definition, instance, this.#redactor, remaining);
    }
    const wasClosed = this.state === 'closing' && !failure;
    this.state = 'closed';
    this.instance = undefined;
    if (failure) this.#closeFailed(failure, startedAt);
    else if (wasClosed) this.emit({ type: 'closed', duration: elapsed(startedAt) });
    const discarded = await within(remaining(), () => Promise.all(this.#discards), unclosed);
    return failure ?? discarded.find((problem) => problem !== undefined);
  }

  /** Waits for a build in progress to end, so that what it makes is closed before the process is left. */
  async #awaitCreation(remaining: () => number): Promise<Error | undefined> {
    const timeout = Math.min(this.definition.lifecycle.closeTimeout, remaining());
    await this.#shared?.catch(ignore); // refused, so at once
    const ended = async () => void (await this.#creation?.catch(ignore));
    const late = () =>
      new Error(`it was still being created ${Math.round(timeout)} ms after shutdown began: ${this.#pending}`);
    return within<Error | undefined>(timeout, ended, late);
  }

  /** Closes what a build has made that failed or came too late. */
  async #discard(instance: unknown): Promise<void> {
    const startedAt = performance.now();
    const disposal = dispose(this.definition, instance, this.#redactor, () => Infinity);
    this.#discards.add(disposal);
    const failure = await disposal;
    this.#discards.delete(disposal);
    if (failure) this.#closeFailed(failure, startedAt);
  }

  #closeFailed(error: Error, startedAt: number): void {
    this.#remember(error);
    this.emit({ type: 'closeFailed', duration: elapsed(startedAt), error });
  }
}

/** The clients from `from` to `to` along dependencies, both included. */
function findPath(from: SharedClient, to: SharedClient, seen = new Set<SharedClient>()): SharedClient[] | undefined {
  if (from === to) return [to];
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const dependency of from.dependencies) {
    const rest = findPath(dependency, to, seen);
    if (rest) return [from, ...rest];
  }
  return undefined;
}

/** What is thrown may be a proxy that cannot be looked at. */
function isClientsError(error: unknown): error is ClientsError {
  try {
    return error instanceof ClientsError;
  } catch {
    return false;
  }
}

function summarize(error: Error): { name: string; message: string } {
  return { name: error.name, message: describeError(error) };
}

/** Milliseconds since `startedAt`, to a hundredth: finer is noise. */
function elapsed(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 100) / 100;
}

function unclosed(): Error[] {
  return [new Error('what a failed build has made did not close in time')];
}

function ignore(): void {}
