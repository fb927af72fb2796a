import type { ClientDefinition, PoolOptions } from '../definition/client-definition.js';
import type { Dependency } from '../definition/dependency.js';
import { ClientsClosedError } from '../errors/clients-closed.error.js';
import { ClientsCreateFailedError } from '../errors/clients-create-failed.error.js';
import { ClientsCreateTimeoutError } from '../errors/clients-create-timeout.error.js';
import { ClientsError } from '../errors/clients.error.js';
import type { ClientEventDetails } from '../events/client-event.js';
import { describeError } from '../errors/describe-error.js';
import { Redactor } from '../redaction/redactor.js';
import { Build } from './build.js';
import { outsideOfRequests, type BuildTracker } from './build-tracker.js';
import { Cancellation } from './cancellation.js';
import type { ClientHealth, ClientState, ClientStatus } from './client-status.js';
import { within } from './deadline.js';
import type { HeldClient } from './held-client.js';
import { UNHURRIED, type CloseFailure, type Closing, type Holder } from './holding.js';
import { elapsed, OpenClient, type ClientHistory, type Pool, type Surroundings } from './open-client.js';

/** What one build gets from the application that asks for it. */
export interface BuildRequest {
  readonly tracker: BuildTracker<Build>;
  /** The class that asked, if one did. */
  readonly consumer: string | undefined;
  /** Whether bootstrap has succeeded, so that connections may be opened. */
  isStarted(): boolean;
  /** Gets what the client injects from Nest. */
  resolve(injected: readonly Dependency[]): Promise<readonly unknown[]>;
  /** Gets the options for the client from the factory of `forRootAsync`. */
  resolveOptions(): Promise<unknown>;
  /** The clients that Nest has injected into what the client injects. */
  findInjected(): Iterable<HeldClient>;
  /** Makes the pool of keyed clients that belongs to the client. */
  createPool(owner: Surroundings, options: PoolOptions): Pool;
}

/** An application for which keyed clients are built. */
export interface PoolHost {
  /** Whether new clients may be built: shutdown has not begun. */
  mayBuild(): boolean;
  /** What the build of a client with that definition gets. */
  requestFor(definition: ClientDefinition): BuildRequest;
}

/** Who hears of what happens to a client. */
export interface Observer {
  observe(details: ClientEventDetails): void;
}

/** Where a client is in its life, and what there is of it then. */
type Life =
  | { readonly state: 'idle' }
  | { readonly state: 'creating'; readonly build: Build }
  | { readonly state: 'open' | 'closing'; readonly build: Build; readonly client: OpenClient }
  | { readonly state: 'closed'; readonly history: ClientHistory };

const IDLE: Life = { state: 'idle' };
const NONE: ReadonlySet<HeldClient> = new Set();

/**
 * One client's life: built once, on demand; held, and closed by the last holder that lets go of it. It knows neither Nest
 * nor applications.
 */
export class SharedClient implements HeldClient, Surroundings {
  readonly redactor: Redactor;
  /** Cancelled as soon as nobody gets the client any more. */
  readonly cancellation = new Cancellation();
  /** The applications that hold it, wait for it or are closing it. */
  readonly observers = new Set<Observer>();
  /** Of keyed clients of the process: the applications that hold them. */
  hosts: Set<PoolHost> | undefined;

  #life: Life = IDLE;
  #dependents: Set<HeldClient> | undefined; // most clients have none
  #lastError: ClientStatus['lastError'];
  readonly #holders = new Set<Holder>();
  /** Somebody has let go of it for good, while others held it. */
  #isReleased = false;
  #ended: Promise<CloseFailure[]> | undefined;
  #onEnd: ((ended: Promise<CloseFailure[]>) => void) | undefined;
  #closing: Closing = UNHURRIED;
  /** The disposal of what failed builds have made, and of what those held. */
  #remains: Set<Promise<CloseFailure[]>> | undefined;

  /**
   * @param unheard called with the events that nobody observes
   * @param key which one it is of the keyed clients of that name
   * @param pool of keyed clients, what they belong to: the secrets that it was shown are theirs too
   */
  constructor(
    readonly name: string,
    readonly definition: ClientDefinition,
    readonly unheard?: (details: ClientEventDetails) => void,
    readonly key?: string,
    pool?: Surroundings,
  ) {
    this.redactor = new Redactor(pool?.redactor);
  }

  get state(): ClientState {
    return this.#life.state;
  }

  get isBuilding(): boolean {
    return this.#life.state === 'creating';
  }

  get isEnding(): boolean {
    return this.#ended !== undefined;
  }

  /** The client itself, while there is one. */
  get instance(): unknown {
    return 'client' in this.#life ? this.#life.client.instance : undefined;
  }

  /** What it is built on, and of keyed clients each one, because those end before the whole does. */
  get dependencies(): Iterable<HeldClient> {
    if (!('build' in this.#life)) return [];
    const { dependencies } = this.#life.build;
    const pool = 'client' in this.#life ? this.#life.client.pool : undefined;
    return pool ? [...dependencies, ...pool.clients()] : dependencies;
  }

  get dependents(): ReadonlySet<HeldClient> {
    return this.#dependents ?? NONE;
  }

  addDependent(client: HeldClient): void {
    (this.#dependents ??= new Set()).add(client);
  }

  removeDependent(client: HeldClient): void {
    this.#dependents?.delete(client);
  }

  /** Of keyed clients: those that there are. */
  get members(): ClientStatus['members'] {
    return 'client' in this.#life ? this.#life.client.pool?.status() : undefined;
  }

  /** What `status()` reports of its life so far. */
  get history(): ClientHistory & Pick<ClientStatus, 'lastError'> {
    return { ...historyOf(this.#life), ...(this.#lastError && { lastError: this.#lastError }) };
  }

  emit(details: ClientEventDetails): void {
    if ('error' in details && details.error) this.#lastError = { ...summarize(details.error), at: new Date() };
    for (const observer of this.observers) observer.observe(details);
    if (this.observers.size > 0) return;
    if (this.#closing.observe) this.#closing.observe(this.name, details);
    else this.unheard?.(details);
  }

  newestErrorSince(date: Date): string | undefined {
    return this.#lastError && this.#lastError.at >= date ? this.#lastError.message : undefined;
  }

  // ── hold ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  get isHeld(): boolean {
    return this.#holders.size > 0;
  }

  /**
   * Keeps the client open, and with it what it is built on, until the holder lets go. Holding twice counts once.
   *
   * @throws ClientsClosedError if it, or what it is built on, has closed or is about to
   */
  hold(holder: Holder): void {
    this.cancellation.throwIfCancelled();
    if (!this.isHeld && 'build' in this.#life) this.#life.build.hold();
    this.#holders.add(holder);
  }

  /** Keeps the client open until the holder, which is ending, has ended; also if the client is about to close. */
  retain(holder: Holder): void {
    if (this.#ended) return; // it waits for the holder, which is its dependent
    if (!this.isHeld && 'build' in this.#life) this.#life.build.retain();
    this.#holders.add(holder);
  }

  /** The holder goes, and the client stays open though nobody may hold it: its application has not started yet. */
  leave(holder: Holder): void {
    const wasLast = this.#holders.delete(holder) && !this.isHeld;
    if (wasLast && !this.#ended && 'build' in this.#life) this.#life.build.leave();
  }

  /** Takes back a hold as if it had never been: the client closes only if it would have closed without it. */
  async withdraw(holder: Holder): Promise<CloseFailure[]> {
    this.leave(holder);
    return this.#isReleased && !this.isHeld && !this.#ended ? this.end(UNHURRIED) : [];
  }

  /**
   * The holder lets go. The last one to do so closes the client, and then lets go of what it is built on; this waits for
   * all of it. Never rejects.
   *
   * @returns what did not close gracefully
   */
  async release(holder: Holder, closing: Closing): Promise<CloseFailure[]> {
    this.#holders.delete(holder);
    this.#isReleased = true;
    return this.isHeld ? [] : this.end(closing);
  }

  /** Closes the client, whoever holds it, after what is built on it. Never rejects. */
  end(closing: Closing): Promise<CloseFailure[]> {
    if (!this.#ended) {
      this.#ended = this.#end(closing);
      this.#onEnd?.(this.#ended);
    }
    return this.#ended;
  }

  /** Settles when the client has ended, whoever ends it and whenever. */
  whenEnded(): Promise<CloseFailure[]> {
    return this.#ended ?? new Promise((resolve) => (this.#onEnd = resolve));
  }

  async #end(closing: Closing): Promise<CloseFailure[]> {
    this.refuse();
    this.#closing = closing;
    const build = 'build' in this.#life ? this.#life.build : undefined;
    build?.retain();
    // Whoever hears of the closing may close something again, and must find that it is ending already.
    await Promise.resolve();
    // Each step is left out where there is nothing to do: thousands of clients that stand alone close fast.
    const failures: CloseFailure[][] = [];
    if (this.dependents.size > 0) {
      failures.push(...(await Promise.all([...this.dependents].map((dependent) => dependent.end(closing)))));
    }
    const failure = await this.#close(closing);
    if (failure) failures.push([[this, failure]]);
    if (this.#remains) failures.push(...(await this.#awaitRemains(this.#remains, closing)));
    if (build && build.dependencies.size > 0) failures.push(await build.release(closing));
    return failures.flat();
  }

  /** Hands the client out no more, and rejects everyone who waits for it. */
  refuse(): void {
    this.cancellation.cancel(() => this.#closedError());
    if (this.#life.state === 'idle') this.#life = { state: 'closed', history: {} };
  }

  // ── build ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The one instance, built if it is not there. A failed build is forgotten, so that the next call tries again. */
  async get(request: BuildRequest): Promise<unknown> {
    if (this.#life.state === 'idle') {
      const build = new Build(this);
      this.#life = { state: 'creating', build };
      build.result = outsideOfRequests(() => this.#build(build, request));
    }
    if (!('build' in this.#life)) throw this.#closedError();
    return this.#life.build.result;
  }

  async #build(build: Build, request: BuildRequest): Promise<unknown> {
    const asked = request.consumer ? { consumer: request.consumer } : {};
    const startedAt = performance.now();
    const { cancellation } = this;
    const { createTimeout: timeout, connect } = this.definition.lifecycle;
    this.emit({ type: 'creating', ...asked });
    build.creation = request.tracker.run(build, () => this.#create(build, request));
    try {
      const late = () => {
        throw new ClientsCreateTimeoutError(this.name, timeout, build.pending);
      };
      const client = await within({ timeout, late, cancellation }, () => build.creation);
      cancellation.throwIfCancelled(); // it may have been in the very turn in which the build has ended
      const duration = elapsed(startedAt);
      this.#life = { state: 'open', build, client };
      build.succeed(this.isHeld);
      client.serve(duration);
      this.emit({ type: 'created', duration, ...asked });
      client.replay();
      if (request.isStarted() || connect === 'build') await within({ cancellation }, () => client.open());
      return client.instance;
    } catch (error) {
      this.#abandon(build);
      const failure = this.#explain(error);
      this.emit({ type: 'createFailed', duration: elapsed(startedAt), error: failure });
      throw failure;
    }
  }

  async #create(build: Build, request: BuildRequest): Promise<OpenClient> {
    const { name, redactor, definition } = this;
    const { blueprint } = definition;
    const dependencies = await request.resolve(blueprint.inject);
    redactor.keepData(dependencies, blueprint.inject);
    build.pending = 'the factory of forRootAsync has not returned yet';
    const factoryOptions = blueprint.configurable ? await request.resolveOptions() : undefined;
    for (const dependency of request.findInjected()) build.add(dependency);
    build.pending = 'create() has not returned yet';
    let pool: Pool | undefined;
    const createPool = (options: PoolOptions) => (pool = request.createPool(this, options));
    const instance = await blueprint.create({ name, dependencies, factoryOptions, redactor, createPool });
    if (instance === undefined || instance === null) throw new TypeError('create() returned no client');
    const client = new OpenClient(instance, this, pool);
    try {
      client.watch();
    } catch (error) {
      await this.#disposeOf(client);
      throw error;
    }
    return client;
  }

  #explain(error: unknown): Error {
    const { name } = this;
    // An error of ours about this client already says which client, what is wrong and how to mend it.
    if (isClientsError(error) && (error.client ?? name) === name) return this.#nameKey(error);
    const cause = this.redactor.error(error);
    return this.#nameKey(new ClientsCreateFailedError(name, describeError(cause), { cause }));
  }

  #nameKey<E extends ClientsError>(error: E): E {
    return this.key === undefined ? error : error.ofKey(this.key, this.name);
  }

  #closedError(): ClientsClosedError {
    return this.#nameKey(new ClientsClosedError(this.name));
  }

  /**
   * Disposes of what a failed attempt has produced, even if it comes late, and lets go of what the attempt
   * held. The next call builds anew.
   */
  #abandon(build: Build): void {
    const life = this.#life;
    if (!('build' in life) || life.build !== build || life.state === 'closing') return; // closing disposes of it
    const disposed = build.creation.then((client) => this.#disposeOf(client), ignore);
    if (this.cancellation.isCancelled) {
      // The end of the client awaits both, and then lets go of what the attempt held.
      if (life.state === 'open') this.#life = { ...life, state: 'closing' };
      return;
    }
    this.#life = IDLE;
    // One that has been built stands on what it was built on until it is closed. One that is late may never come.
    const withdraw = () => build.withdraw();
    this.#track(life.state === 'open' ? disposed.then(withdraw) : withdraw());
  }

  // ── serve ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Opens the connections of a client that is built; one that is being built opens them itself. */
  async open(): Promise<void> {
    this.cancellation.throwIfCancelled();
    if (this.#life.state === 'open') await this.#life.client.open();
  }

  /** Publishes a background error of the client. */
  report(error: unknown): void {
    if (this.#life.state === 'open') this.#life.client.report(error);
  }

  /** Asks the client whether it is well, within `timeout` milliseconds. Never builds it, never rejects. */
  async check(timeout: number): Promise<ClientHealth> {
    const life = this.#life;
    const about = { name: this.name, kind: this.definition.kind };
    if (life.state === 'idle' || life.state === 'creating') {
      const error = this.#lastError && { name: this.#lastError.name, message: this.#lastError.message };
      return { ...about, status: 'idle', ...(error && { error }) }; // the error of a build that failed
    }
    const startedAt = performance.now();
    const problem = life.state === 'open' ? await life.client.check(timeout) : this.#closedError();
    const duration = elapsed(startedAt);
    if (!problem) return { ...about, status: 'up', duration };
    const error = summarize(problem);
    if (life.state === 'open') error.message = life.client.describe(problem);
    return { ...about, status: 'down', duration, error };
  }

  // ── close ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Gracefully, else by force. Never rejects. Returns why it did not close gracefully, if so. */
  async #close(closing: Closing): Promise<Error | undefined> {
    const startedAt = performance.now();
    let failure: Error | undefined;
    let isClosed = false;
    const life = this.#life;
    if (life.state === 'creating') failure = await this.#awaitCreation(life.build, closing);
    if (life.state === 'open' && this.definition.lifecycle.owned) {
      this.#life = { ...life, state: 'closing' };
      this.emit({ type: 'closing' });
      failure = await life.client.dispose(closing);
      isClosed = true;
    } else if (life.state === 'open') {
      life.client.end(); // its owner closes it
    }
    const { connection: _, ...history } = historyOf(life); // it has ended, or is watched no longer
    this.#life = { state: 'closed', history };
    if (failure) this.emit({ type: 'closeFailed', duration: elapsed(startedAt), error: failure });
    else if (isClosed) this.emit({ type: 'closed', duration: elapsed(startedAt) });
    return failure;
  }

  /** Waits for a build in progress to end, so that what it makes is closed before the process is left. */
  async #awaitCreation(build: Build, closing: Closing): Promise<Error | undefined> {
    const { result, creation, pending } = build;
    const timeout = Math.min(this.definition.lifecycle.closeTimeout, closing.remaining());
    await result.catch(ignore); // cancelled, so at once
    const late = () =>
      new Error(`it was still being created ${Math.round(timeout)} ms after shutdown began: ${pending}`);
    return within<Error | undefined>({ timeout, late }, async () => void (await creation.catch(ignore)));
  }

  /** Closes what a failed build has made, and remembers that as long as it lasts. */
  async #disposeOf(client: OpenClient): Promise<void> {
    const startedAt = performance.now();
    const disposal = client.dispose({ remaining: () => this.#closing.remaining() });
    this.#track(disposal.then((failure) => (failure ? [[this, failure]] : [])));
    const failure = await disposal;
    if (failure) this.emit({ type: 'closeFailed', duration: elapsed(startedAt), error: failure });
  }

  async #awaitRemains(remains: Iterable<Promise<CloseFailure[]>>, { remaining }: Closing): Promise<CloseFailure[][]> {
    const late = (): CloseFailure[][] => [[[this, new Error('what a failed build has made did not close in time')]]];
    return within({ timeout: remaining(), late }, () => Promise.all(remains));
  }

  #track(remains: Promise<CloseFailure[]>): void {
    const all = (this.#remains ??= new Set());
    all.add(remains);
    void remains.then(() => all.delete(remains));
  }
}

function historyOf(life: Life): ClientHistory {
  if ('client' in life) return life.client.history;
  return life.state === 'closed' ? life.history : {};
}

/** Never throws, although the value may be a proxy that throws when it is inspected. */
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

function ignore(): void {}
