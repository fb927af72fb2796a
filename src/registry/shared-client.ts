import { setTimeout as delay } from 'node:timers/promises';
import type { InjectionToken } from '@nestjs/common';
import type { ClientDefinition } from '../definition/client-definition.js';
import { ClientsClosedError } from '../errors/clients-closed.error.js';
import { ClientsCreateFailedError } from '../errors/clients-create-failed.error.js';
import { ClientsCreateTimeoutError } from '../errors/clients-create-timeout.error.js';
import { ClientsInvalidOptionsError } from '../errors/clients-invalid-options.error.js';
import { ClientsMissingPackageError } from '../errors/clients-missing-package.error.js';
import { Redactor, describeError } from '../errors/redactor.js';
import type { ClientOccurrence } from '../events/client-event.js';
import type { BuildTracker } from './build-tracker.js';
import type { ClientHealth, ClientState, ClientStatus } from './client-status.js';
import { DeadlineError, within } from './deadline.js';

/** Milliseconds that destroying by force may take. ioredis needs 2,000 to give up on a frozen server. */
const DESTROY_TIMEOUT = 2_050;
/** Milliseconds between two looks at a client that is not ready yet. */
const READY_INTERVAL = 100;

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
export class SharedClient<T = unknown> {
  state: ClientState = 'idle';
  instance: T | undefined;
  createdAt: Date | undefined;
  createDuration: number | undefined;
  lastError: ClientStatus['lastError'];
  /** The clients that this one's build asked for. */
  readonly dependencies = new Set<SharedClient>();

  readonly #redactor = new Redactor();
  /** The newest background error. */
  #reported: unknown;
  #shared: Promise<T> | undefined;
  #creation: Promise<T> | undefined;
  #pending = '';
  #opened: Promise<void> | undefined;
  #closed: Promise<Error | undefined> | undefined;
  #refused = false;
  #refuse: ((error: Error) => void) | undefined;
  readonly #disposals = new Set<Promise<unknown>>();

  constructor(
    readonly name: string,
    readonly definition: ClientDefinition<T, unknown>,
    readonly emit: (occurrence: ClientOccurrence) => void,
  ) {}

  // ── build ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The one instance, built if it is not there. A failed build is forgotten, so that the next call tries again. */
  get(request: BuildRequest): Promise<T> {
    if (this.#refused) return Promise.reject(new ClientsClosedError(this.name));
    const dependent = request.tracker.current;
    const problem = dependent?.dependOn(this);
    if (problem) return Promise.reject(problem);
    if (!this.#shared) {
      const shared = this.#build(request);
      this.#shared = shared;
      shared.catch(() => {
        if (this.#shared === shared) this.#shared = undefined;
      });
    }
    return this.#shared;
  }

  async #build(request: BuildRequest): Promise<T> {
    const { createTimeout } = this.definition.lifecycle;
    const { consumer } = request;
    const startedAt = performance.now();
    this.state = 'creating';
    this.dependencies.clear();
    this.#opened = undefined;
    this.emit({ type: 'creating', ...(consumer && { consumer }) });

    const creation = request.tracker.run(this, () => this.#create(request));
    const refusal = new Promise<never>((_, reject) => (this.#refuse = reject));
    this.#creation = creation;
    try {
      const instance = await within(createTimeout, () => Promise.race([creation, refusal]));
      this.instance = instance;
      this.state = 'open';
      this.createdAt = new Date();
      this.createDuration = elapsed(startedAt);
      this.emit({ type: 'created', duration: this.createDuration, ...(consumer && { consumer }) });
      if (request.started()) await Promise.race([this.open(), refusal]);
      return instance;
    } catch (error) {
      // Whatever the build has made, or makes after all when nobody waits for it any more, is closed; once it is open,
      // close() may have come first.
      if (this.state === 'creating' || this.state === 'open') {
        creation.then((instance) => this.#dispose(instance), ignore);
        this.instance = undefined;
        this.state = this.#refused ? 'closed' : 'idle';
      }
      const failure = this.#explain(error);
      this.#remember(failure);
      this.emit({ type: 'createFailed', duration: elapsed(startedAt), error: failure });
      throw failure;
    }
  }

  async #create(request: BuildRequest): Promise<T> {
    const { blueprint } = this.definition;
    this.#pending = 'what it injects is not there yet';
    const dependencies = await request.resolve(blueprint.inject);
    this.#pending = 'the factory of forRootAsync has not returned yet';
    const supplied = await request.supply();
    this.#pending = 'create() has not returned yet';
    const instance = await blueprint.create({
      name: this.name,
      dependencies,
      supplied,
      redactor: this.#redactor,
    });
    if (instance === undefined || instance === null) throw new TypeError('create() returned no client');
    try {
      blueprint.onError?.(instance, (error) => this.#report(instance, error));
    } catch (error) {
      await this.#dispose(instance);
      throw error;
    }
    return instance;
  }

  /** Notes that this client, which is being built, is built on `dependency`; or returns why it cannot be. */
  dependOn(dependency: SharedClient): Error | undefined {
    const path = dependency.state === 'creating' ? findPath(dependency, this) : undefined;
    if (path) {
      const names = [this, ...path].map(({ name }) => `"${name}"`).join(' → ');
      return new ClientsCreateFailedError(this.name, `it is built on itself: ${names}`);
    }
    if (this.definition.lifecycle.scope === 'process' && dependency.definition.lifecycle.scope === 'app') {
      const problem = `its scope is "process", but "${dependency.name}", which it is built on, closes with one application`;
      return new ClientsCreateFailedError(this.name, `${problem}. Give both the same scope`);
    }
    this.dependencies.add(dependency);
    return undefined;
  }

  #explain(error: unknown): Error {
    const { name } = this;
    if (error instanceof ClientsClosedError && this.#refused) return error;
    if (error instanceof DeadlineError) {
      return new ClientsCreateTimeoutError(name, this.definition.lifecycle.createTimeout, this.#pending);
    }
    if (error instanceof ClientsCreateTimeoutError && error.client === name) return error;
    if (error instanceof ClientsCreateFailedError && error.client === name) return error;
    if (error instanceof ClientsInvalidOptionsError) return error;
    const cause = this.#redactor.error(error);
    if (error instanceof ClientsMissingPackageError) {
      return new ClientsMissingPackageError(error.packageName, `Client "${name}"`, { cause });
    }
    return new ClientsCreateFailedError(name, describeError(cause), { cause });
  }

  // ── connect ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Opens the client's connections in the background; waits until it is ready if its lifecycle says so. */
  open(): Promise<void> {
    return (this.#opened ??= this.#open());
  }

  async #open(): Promise<void> {
    const { connect, waitUntilReady } = this.definition.lifecycle;
    if (connect === 'bootstrap') void this.#connect();
    if (waitUntilReady) await this.#untilReady();
  }

  async #connect(): Promise<void> {
    const { blueprint } = this.definition;
    const { instance } = this;
    if (!blueprint.connect || instance === undefined) return;
    const startedAt = performance.now();
    try {
      await blueprint.connect(instance);
      if (this.state === 'open') this.emit({ type: 'connected', duration: elapsed(startedAt) });
    } catch (error) {
      this.#report(instance, error);
    }
  }

  async #untilReady(): Promise<void> {
    const { createTimeout } = this.definition.lifecycle;
    const deadline = performance.now() + createTimeout;
    for (;;) {
      if (this.#refused) throw new ClientsClosedError(this.name);
      const health = await this.check(Math.max(0, deadline - performance.now()));
      if (health.status === 'up') return;
      if (performance.now() + READY_INTERVAL >= deadline) {
        const found = health.error?.message ?? health.status;
        // Between two attempts to connect a check finds no more than that; what the client has reported tells why.
        const reported = this.#reportedSinceCreated();
        const reason = reported && reported !== found ? `${found}; its last error: ${reported}` : found;
        throw new ClientsCreateTimeoutError(this.name, createTimeout, `it is not ready: ${reason}`);
      }
      await delay(READY_INTERVAL);
    }
  }

  #reportedSinceCreated(): string | undefined {
    const { lastError, createdAt } = this;
    return lastError && createdAt && lastError.at >= createdAt ? lastError.message : undefined;
  }

  // ── serve ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Asks the client whether it is well, within `timeout` milliseconds. Never builds it, never rejects. */
  async check(timeout: number): Promise<ClientHealth> {
    const { name, instance, state, definition } = this;
    const about = { name, kind: definition.kind };
    if (state === 'idle' || state === 'creating') {
      const { lastError } = this; // of a build that failed
      return { ...about, status: 'idle', ...(lastError && { error: summarize(lastError) }) };
    }
    if (state !== 'open' || instance === undefined) {
      return { ...about, status: 'down', error: summarize(new ClientsClosedError(name)) };
    }
    const startedAt = performance.now();
    try {
      await within(timeout, () => definition.blueprint.check?.(instance));
      return { ...about, status: 'up', duration: elapsed(startedAt) };
    } catch (error) {
      const reason =
        error instanceof DeadlineError
          ? new Error(`no answer within ${Math.round(timeout)} ms`)
          : this.#redactor.error(error);
      return { ...about, status: 'down', duration: elapsed(startedAt), error: summarize(reason) };
    }
  }

  #report(instance: T, error: unknown): void {
    // Sockets complain while they are being closed, and so may what a build that was too late has made.
    if (this.state !== 'open' || this.instance !== instance) return;
    // One failure comes twice when connect() rejects with what the client has emitted.
    if (typeof error === 'object' && error === this.#reported) return;
    this.#reported = error;
    const safe = this.#redactor.error(error);
    this.#remember(safe);
    this.emit({ type: 'error', error: safe });
  }

  #remember(error: Error): void {
    this.lastError = { ...summarize(error), at: new Date() };
  }

  // ── close ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** From now on nobody gets the client; whoever waits for it is refused at once. */
  refuse(): void {
    this.#refused = true;
    this.#refuse?.(new ClientsClosedError(this.name));
    if (this.state === 'idle') this.state = 'closed';
  }

  /**
   * Closes the client, once: gracefully, else by force. Never rejects.
   *
   * @param remaining the milliseconds left for closing everything
   * @returns why it did not close gracefully, if so
   */
  close(remaining: () => number): Promise<Error | undefined> {
    this.refuse();
    return (this.#closed ??= this.#close(remaining));
  }

  async #close(remaining: () => number): Promise<Error | undefined> {
    const startedAt = performance.now();
    const wasCreating = this.state === 'creating';
    const wasOpen = this.state === 'open' && this.definition.lifecycle.owned;
    let failure: Error | undefined;
    if (wasCreating) failure = await this.#awaitCreation(remaining);
    if (wasOpen && this.instance !== undefined) {
      this.emit({ type: 'closing' });
      this.state = 'closing';
      failure = await this.#dispose(this.instance, remaining);
    }
    await within(remaining(), () => Promise.all(this.#disposals)).catch(ignore);
    this.state = 'closed';
    this.instance = undefined;
    const duration = elapsed(startedAt);
    if (failure) {
      this.#remember(failure);
      this.emit({ type: 'closeFailed', duration, error: failure });
    } else if (wasOpen) {
      this.emit({ type: 'closed', duration });
    }
    return failure;
  }

  /** Waits for a build in progress to end, so that what it makes is closed before the process is left. */
  async #awaitCreation(remaining: () => number): Promise<Error | undefined> {
    const timeout = Math.min(this.definition.lifecycle.closeTimeout, remaining());
    await this.#shared?.catch(ignore); // refused, so at once
    try {
      await within(timeout, () => this.#creation?.then(ignore, ignore));
      return undefined;
    } catch {
      return new Error(`it was still being created ${Math.round(timeout)} ms after shutdown began: ${this.#pending}`);
    }
  }

  #dispose(instance: T, remaining: () => number = () => Infinity): Promise<Error | undefined> {
    const disposal = this.#closeOrDestroy(instance, remaining).finally(() => this.#disposals.delete(disposal));
    this.#disposals.add(disposal);
    return disposal;
  }

  async #closeOrDestroy(instance: T, remaining: () => number): Promise<Error | undefined> {
    const { blueprint, lifecycle } = this.definition;
    if (!lifecycle.owned) return undefined; // its owner closes it
    const timeout = Math.min(lifecycle.closeTimeout, remaining());
    const problems: string[] = [];
    let cause: Error | undefined;
    try {
      await within(timeout, () => (blueprint.close ?? disposeDefault)(instance));
      return undefined;
    } catch (error) {
      if (!(error instanceof DeadlineError)) cause = this.#redactor.error(error);
      problems.push(`close() ${this.#describeFailure(error, timeout)}`);
    }
    if (blueprint.destroy) {
      const destroyTimeout = Math.min(DESTROY_TIMEOUT, remaining());
      try {
        await within(destroyTimeout, () => blueprint.destroy?.(instance));
        problems.push('it was destroyed by force');
      } catch (error) {
        problems.push(`destroy() ${this.#describeFailure(error, destroyTimeout)}`);
      }
    }
    return new Error(problems.join('; '), cause && { cause });
  }

  #describeFailure(error: unknown, timeout: number): string {
    if (error instanceof DeadlineError) return `did not end within ${Math.round(timeout)} ms`;
    return `failed: ${describeError(this.#redactor.error(error))}`;
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

async function disposeDefault(client: unknown): Promise<void> {
  const disposable = client as Partial<AsyncDisposable & Disposable>;
  if (disposable[Symbol.asyncDispose]) await disposable[Symbol.asyncDispose]?.();
  else disposable[Symbol.dispose]?.();
}

function summarize(error: { name: string; message: string }): { name: string; message: string } {
  return { name: error.name, message: describeError(error) };
}

/** Milliseconds since `startedAt`, to a hundredth: finer is noise. */
function elapsed(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 100) / 100;
}

function ignore(): void {}
