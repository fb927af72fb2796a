import { setMaxListeners } from 'node:events';
import type { ClientDefinition } from '../definition/client-definition.js';
import type { Dependency } from '../definition/dependency.js';
import { ClientsClosedError } from '../errors/clients-closed.error.js';
import { ClientsCreateFailedError } from '../errors/clients-create-failed.error.js';
import { ClientsCreateTimeoutError } from '../errors/clients-create-timeout.error.js';
import { ClientsError } from '../errors/clients.error.js';
import { Redactor, describeError } from '../redaction/redactor.js';
import type { ClientEventDetails } from '../events/client-event.js';
import { Build } from './build.js';
import { outsideOfRequests, type BuildTracker } from './build-tracker.js';
import type { ClientHealth, ClientState, ClientStatus } from './client-status.js';
import { within, type Limits } from './deadline.js';
import { dispose } from './dispose.js';

/** Milliseconds between two looks at a client that is not ready yet: at first, and at most. */
const FIRST_PAUSE = 10;
const LONGEST_PAUSE = 100;
/** What hooks report of a client that is still being built, at most: a flood is no news. */
const MOST_EARLY = 10;

/** What one build gets from the application that asks for it. */
export interface BuildRequest {
  readonly tracker: BuildTracker<Build>;
  /** The class that asked, if one did. */
  readonly consumer: string | undefined;
  /** Whether bootstrap has succeeded, so that connections may be opened. */
  started(): boolean;
  /** Gets what the client injects from Nest. */
  resolve(tokens: readonly Dependency[]): Promise<readonly unknown[]>;
  /** Gets what the factory of `forRootAsync` supplies for the client. */
  supply(): Promise<unknown>;
  /** The clients that Nest has injected into what the client injects. */
  findBehind(): Iterable<SharedClient>;
}

/** Keeps clients open: an application, or a client that is built on them. */
export interface Holder {
  readonly isHolding: boolean;
}

type Observer = (occurrence: ClientEventDetails) => void;
/** A client that did not close gracefully, and why. */
export type CloseFailure = readonly [SharedClient, Error];

/** One client's life: built once on demand, shared, opened, checked, closed once. It knows nothing of Nest. */
export class SharedClient {
  state: ClientState = 'idle';
  instance: unknown;
  /** What `status()` tells of its life so far. */
  history: Pick<ClientStatus, 'createdAt' | 'createDuration' | 'connection' | 'connectedAt' | 'lastError'> = {};
  /** Who hears what happens to it: applications that hold it, wait for it or are closing it. */
  readonly observers = new Set<Observer>();

  readonly #redactor = new Redactor();
  readonly #holders = new Set<Holder>();
  /** Nobody gets the client any more. */
  isRefused = false;
  /** Aborted then; there while somebody waits. */
  #refusal: AbortController | undefined;
  #waiting = 0;
  /** When it began to connect, or lost its connection. */
  #connectionSince = performance.now();
  /** The newest background error. */
  #reported: unknown;
  /** What hooks have reported of a client that is still being built. */
  readonly #early: { readonly instance: unknown; readonly work: () => void }[] = [];
  /** The build that runs or has succeeded. */
  #build: Build | undefined;
  /** The milliseconds left for closing it. */
  #remaining = (): number => Infinity;
  /** Somebody who held it has gone, while others did. */
  #isLeft = false;
  #ended: Promise<CloseFailure[]> | undefined;
  #onEnd: (() => void) | undefined;
  readonly #discards = new Set<Promise<CloseFailure[]>>();

  /** @param unheard is told what happens when nobody else is */
  constructor(
    readonly name: string,
    readonly definition: ClientDefinition,
    readonly unheard?: Observer,
  ) {}

  /** What its build has asked for. */
  get dependencies(): Iterable<SharedClient> {
    return this.#build?.dependencies ?? [];
  }

  emit(occurrence: ClientEventDetails): void {
    for (const observe of this.observers) observe(occurrence);
    if (this.observers.size === 0) this.unheard?.(occurrence);
  }

  // ── hold ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Keeps the client open until the holder releases it. */
  hold(holder: Holder): void {
    if (this.isRefused) throw this.#closedError();
    this.#holders.add(holder);
  }

  get isHeld(): boolean {
    for (const holder of this.#holders) if (holder.isHolding) return true;
    return false;
  }

  /** The holder keeps it open no longer, which is no reason to close it. */
  leave(holder: Holder): void {
    this.#holders.delete(holder);
  }

  /** Its application has started, or closes: keeps open what it is built on. Throws if others have closed that. */
  attach(): void {
    if (this.definition.lifecycle.scope === 'app') this.#build?.attach();
  }

  get hasDependents(): boolean {
    for (const holder of this.#holders) if (holder instanceof Build) return true;
    return false;
  }

  /** The holder has not come to need it. Not a reason to close, unless it was only waited for. */
  async letGo(holder: Holder): Promise<CloseFailure[]> {
    this.#holders.delete(holder);
    return this.#isLeft && !this.isHeld && !this.#ended ? this.end(this.#remaining) : [];
  }

  /**
   * The last one to let go closes the client, and then lets go of what it is built on; awaits all that. Never rejects.
   *
   * @param remaining the milliseconds left for closing everything
   * @returns what did not close gracefully
   */
  async release(holder: Holder, remaining: () => number): Promise<CloseFailure[]> {
    this.#holders.delete(holder);
    this.#isLeft = true;
    if (this.isHeld) return [];
    // What is built on it is closed before it, so must not wait for it.
    return this.#ended && holder instanceof Build ? [] : this.end(remaining);
  }

  /** Closes the client, whoever holds it, after what is built on it. */
  end(remaining: () => number): Promise<CloseFailure[]> {
    this.#ended ??= this.#end(remaining);
    this.#onEnd?.();
    return this.#ended;
  }

  /** Resolves when the last one has let go. */
  whenLetGo(): Promise<void> {
    return this.#ended ? Promise.resolve() : new Promise((resolve) => (this.#onEnd = resolve));
  }

  async #end(remaining: () => number): Promise<CloseFailure[]> {
    this.refuse(remaining);
    const dependents = [...this.#holders].filter((holder) => holder instanceof Build);
    const before = await Promise.all(dependents.map(({ client }) => client.end(remaining)));
    const failure = await this.#close(remaining);
    const own: CloseFailure[] = failure ? [[this, failure]] : [];
    const discarded = await this.#awaitDiscards(remaining);
    const build = this.#build;
    this.#build = undefined;
    const after = build ? await build.release((dependency) => dependency.release(build, remaining)) : [];
    return [...before.flat(), ...own, ...discarded.flat(), ...after];
  }

  // ── build ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The one instance, built if it is not there. A failed build is forgotten, so that the next call tries again. */
  get(request: BuildRequest): Promise<unknown> {
    if (!this.#build) {
      const build = new Build(this);
      this.#build = build;
      build.result = outsideOfRequests(() => this.#run(build, request));
    }
    return this.#build.result;
  }

  async #run(build: Build, request: BuildRequest): Promise<unknown> {
    const whom = request.consumer ? { consumer: request.consumer } : {};
    const startedAt = performance.now();
    this.state = 'creating';
    this.emit({ type: 'creating', ...whom });

    build.creation = request.tracker.run(build, () => this.#create(build, request));
    try {
      const timeout = this.definition.lifecycle.createTimeout;
      const late = () => {
        throw new ClientsCreateTimeoutError(this.name, timeout, build.pending);
      };
      const instance = await this.#unlessRefused({ timeout, late }, () => build.creation);
      if (this.isRefused) throw this.#closedError(); // in the very turn in which the build has ended
      build.isRunning = false;
      this.instance = instance;
      this.state = 'open';
      const duration = elapsed(startedAt);
      this.history = { ...this.history, createdAt: new Date(), createDuration: duration };
      this.emit({ type: 'created', duration, ...whom });
      this.#tellEarly(instance);
      const { connect, scope } = this.definition.lifecycle;
      if (request.started() || connect === 'build') await this.#unlessRefused({}, () => this.open());
      if (!request.started() && scope === 'app') build.detach();
      return instance;
    } catch (error) {
      // Whatever the build has made, or makes after all when nobody waits for it any more, is closed; once it is open,
      // close() may have come first.
      if (this.state === 'creating' || this.state === 'open') {
        const discarded = build.creation.then((instance) => this.#discard(instance), ignore);
        if (!this.isRefused) this.#forget(build, this.state === 'open' ? discarded : undefined);
        this.instance = undefined;
        this.history = {};
        this.state = this.isRefused ? 'closed' : 'idle';
      }
      const failure = this.#explain(error);
      this.#remember(failure);
      this.emit({ type: 'createFailed', duration: elapsed(startedAt), error: failure });
      throw failure;
    }
  }

  async #create(build: Build, request: BuildRequest): Promise<unknown> {
    const { blueprint } = this.definition;
    const dependencies = await request.resolve(blueprint.inject);
    this.#redactor.keepData(dependencies);
    build.pending = 'the factory of forRootAsync has not returned yet';
    const supplied = blueprint.configurable ? await request.supply() : undefined;
    for (const dependency of request.findBehind()) build.hold(dependency);
    build.pending = 'create() has not returned yet';
    const instance = await blueprint.create({ name: this.name, dependencies, supplied, redactor: this.#redactor });
    if (instance === undefined || instance === null) throw new TypeError('create() returned no client');
    try {
      this.#watch(instance);
    } catch (error) {
      await this.#discard(instance);
      throw error;
    }
    return instance;
  }

  /** Subscribes to what the driver tells of the instance. What a build that was too late has made tells nothing. */
  #watch(instance: unknown): void {
    const { driver } = this.definition.blueprint;
    const tell = (work: () => void) => {
      if (this.instance === instance) work();
      else if (this.state === 'creating' && this.#early.length < MOST_EARLY) this.#early.push({ instance, work });
    };
    const report = (error: unknown) => tell(() => this.report(error));
    const reportConnection = (state: 'connected' | 'disconnected', reason?: unknown) =>
      tell(() => this.#reportConnection(state, reason));
    for (const subscription of [
      driver.onError?.(instance, report),
      driver.onConnection?.(instance, reportConnection),
    ]) {
      // An asynchronous hook that fails later must not crash the process, nor a promise or thenable that cannot be read.
      void (async () => void (await subscription))().catch(report);
    }
  }

  /** Tells what the hooks of a client have reported before its build had ended. */
  #tellEarly(instance: unknown): void {
    for (const early of this.#early.splice(0)) if (early.instance === instance) early.work();
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
    if (this.isRefused) return Promise.reject(this.#closedError());
    const build = this.#build;
    if (this.state !== 'open' || !build) return Promise.resolve(); // as soon as it is built
    build.opened ??= outsideOfRequests(() => this.#open()).catch((error: unknown) => {
      build.opened = undefined; // whoever asks next looks again
      throw error;
    });
    return build.opened;
  }

  async #open(): Promise<void> {
    const { connect, waitUntilReady } = this.definition.lifecycle;
    if (connect !== 'use') void this.#connect().catch((error: unknown) => this.report(error));
    if (waitUntilReady) await this.#untilReady();
  }

  async #connect(): Promise<void> {
    const { driver } = this.definition.blueprint;
    if (!driver.connect) return;
    const startedAt = performance.now();
    if (driver.onConnection) {
      this.#connectionSince = startedAt;
      this.history.connection ??= 'connecting';
    }
    try {
      await driver.connect(this.instance);
      if (this.state === 'open' && !driver.onConnection) {
        this.emit({ type: 'connected', duration: elapsed(startedAt) });
      }
    } catch (error) {
      this.report(error);
    }
  }

  #reportConnection(state: 'connected' | 'disconnected', reason: unknown): void {
    if (this.state !== 'open') return; // a client that is being closed loses its connection
    const { history } = this;
    if (state === 'connected') {
      if (history.connection === 'connected') return;
      history.connection = 'connected';
      history.connectedAt = new Date();
      this.emit({ type: 'connected', duration: elapsed(this.#connectionSince) });
      this.#connectionSince = performance.now();
    } else if (state !== 'disconnected') {
      this.report(new Error('onConnection reported a state that is neither "connected" nor "disconnected"'));
    } else if (history.connection !== 'connected') {
      this.report(reason ?? new Error('the server closed the connection before the client was ready'));
    } else {
      history.connection = 'disconnected';
      this.#connectionSince = performance.now();
      const error = reason === undefined ? undefined : this.#redactor.error(reason);
      if (error) this.#remember(error);
      this.emit({ type: 'disconnected', ...(error && { error }) });
    }
  }

  async #untilReady(): Promise<void> {
    const { createTimeout } = this.definition.lifecycle;
    const deadline = performance.now() + createTimeout;
    let found: Error | undefined;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      const problem = await this.#probe(Math.max(0, deadline - performance.now()));
      if (!problem) return;
      if (this.isRefused) throw this.#closedError();
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
    const { instance, state, definition } = this;
    if (state !== 'open') return this.#closedError();
    const look = async () => void (await definition.blueprint.driver.check?.(instance));
    const late = () => new Error(`no answer within ${Math.round(timeout)} ms`);
    try {
      return await this.#unlessRefused<Error | undefined>({ timeout, late }, look);
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
  refuse(remaining: () => number): void {
    if (this.isRefused) return;
    this.isRefused = true;
    this.#remaining = remaining;
    this.#refusal?.abort(this.#closedError());
    if (this.state === 'idle') this.state = 'closed';
  }

  async #unlessRefused<T>(limits: Limits<T>, work: () => T | Promise<T>): Promise<T> {
    const { signal } = (this.#refusal ??= new AbortController());
    setMaxListeners(0, signal); // else Node warns when more than ten wait
    this.#waiting += 1;
    try {
      return await within({ ...limits, signal }, work);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#refusal = undefined; // thousands of clients that nobody waits for need none
    }
  }

  /** Gracefully, else by force. Never rejects. Returns why it did not close gracefully, if so. */
  async #close(remaining: () => number): Promise<Error | undefined> {
    const startedAt = performance.now();
    const { state, instance } = this;
    let failure: Error | undefined;
    if (this.#build && state !== 'open') failure = await this.#awaitCreation(this.#build, remaining);
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
    return failure;
  }

  /** Waits for a build in progress to end, so that what it makes is closed before the process is left. */
  async #awaitCreation({ result, creation, pending }: Build, remaining: () => number): Promise<Error | undefined> {
    const timeout = Math.min(this.definition.lifecycle.closeTimeout, remaining());
    await result.catch(ignore); // refused, so at once
    const late = () =>
      new Error(`it was still being created ${Math.round(timeout)} ms after shutdown began: ${pending}`);
    return within<Error | undefined>({ timeout, late }, async () => void (await creation.catch(ignore)));
  }

  /** The next call builds anew. What the build that failed was built on is let go of when its remains are closed. */
  #forget(build: Build, discarded: Promise<void> | undefined): void {
    this.#build = undefined;
    const letGo = () => build.release((dependency) => dependency.letGo(build));
    this.#track(discarded ? discarded.then(letGo) : letGo());
  }

  /** Closes what a build has made that failed or came too late. */
  async #discard(instance: unknown): Promise<void> {
    const startedAt = performance.now();
    const disposal = dispose(this.definition, instance, this.#redactor, this.#remaining);
    this.#track(disposal.then((failure) => (failure ? [[this, failure]] : [])));
    const failure = await disposal;
    if (failure) this.#closeFailed(failure, startedAt);
  }

  async #awaitDiscards(remaining: () => number): Promise<CloseFailure[][]> {
    if (this.#discards.size === 0) return [];
    const late = (): CloseFailure[][] => [[[this, new Error('what a failed build has made did not close in time')]]];
    return within({ timeout: remaining(), late }, () => Promise.all(this.#discards));
  }

  #track(discard: Promise<CloseFailure[]>): void {
    this.#discards.add(discard);
    void discard.then(() => this.#discards.delete(discard));
  }

  #closeFailed(error: Error, startedAt: number): void {
    this.#remember(error);
    this.emit({ type: 'closeFailed', duration: elapsed(startedAt), error });
  }
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

function ignore(): void {}
