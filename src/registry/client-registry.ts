import { channel } from 'node:diagnostics_channel';
import { Subject, type Observable } from 'rxjs';
import { getClientName, getClientToken } from '../clients.tokens.js';
import type { ClientDefinition, ClientDefinitions } from '../definition/client-definition.js';
import { resolveDependency, type Dependency } from '../definition/dependency.js';
import { ClientsCloseFailedError } from '../errors/clients-close-failed.error.js';
import { ClientsClosedError } from '../errors/clients-closed.error.js';
import { ClientsCreateFailedError } from '../errors/clients-create-failed.error.js';
import { ClientsCreateTimeoutError } from '../errors/clients-create-timeout.error.js';
import { ClientsDuplicateError } from '../errors/clients-duplicate.error.js';
import { ClientsInvalidOptionsError } from '../errors/clients-invalid-options.error.js';
import { ClientsUnknownError } from '../errors/clients-unknown.error.js';
import type { ClientsError } from '../errors/clients.error.js';
import { noteCopy } from '../errors/copies.js';
import type { ClientEvent, ClientEventDetails } from '../events/client-event.js';
import { ClientLogger } from '../events/client-logger.js';
import type { Build } from './build.js';
import { BuildTracker } from './build-tracker.js';
import { Cancellation } from './cancellation.js';
import { ClientPool } from './client-pool.js';
import type { ClientHealth, ClientStatus } from './client-status.js';
import { within } from './deadline.js';
import type { Closing } from './holding.js';
import { Registration, type ClientSource } from './registration.js';
import type { BuildRequest, PoolHost, SharedClient } from './shared-client.js';

/** Milliseconds that a health check may take by default. */
const CHECK_TIMEOUT = 1_000;
/** Milliseconds that closing everything may take by default. */
const SHUTDOWN_TIMEOUT = 10_000;

/** The token by which the module itself injects the registry, so that a test may override `ClientRegistry`. */
export const REGISTRY = Symbol('nestjs-clients:registry');

/** The names that a registry of clients `C` takes: any, if `C` is not known, as `app.get(ClientRegistry)` leaves it. */
type NameOf<C> = unknown extends C ? string : keyof C & string;
type ClientOf<C, N> = N extends keyof C ? C[N] : unknown;

/**
 * Where an application is in its life. While it is booting it holds no client. When it is stopping, nothing is built any
 * more; when it is draining, it waits for running work; when it is closing, no client is handed out.
 */
type Phase = 'booting' | 'started' | 'stopping' | 'draining' | 'closing';

/**
 * All clients of an application: typed access by name, their status, health and events, and their end.
 *
 * Inject it anywhere. Each application has one registry. `C` is `ClientsOf<typeof clients>`.
 *
 * @example
 * constructor(private readonly clients: ClientRegistry<AppClients>) {}
 *
 * async report() {
 *   const redis = await this.clients.get('redis'); // built now, if nobody has used it before
 * }
 */
export class ClientRegistry<C = Record<string, unknown>> {
  readonly #declarations = new Set<ClientDefinitions>();
  readonly #registrations = new Map<string, Registration>();
  readonly #tracker = new BuildTracker<Build>();
  readonly #logger = new ClientLogger();
  readonly #events = new Subject<ClientEvent>();
  /** Failed builds of an application that has not started, by client: logged if it does start. */
  readonly #unlogged = new Map<string, ClientEvent>();
  readonly #work = new Set<Promise<unknown>>();
  /**
   * Cancels whoever waits for a client when this application closes. A client of the process may stay open for others, so
   * that its own cancellation would not reach our waiters.
   */
  readonly #cancellation = new Cancellation();
  #shutdownTimeout: number | undefined;
  #phase: Phase = 'booting';
  #closed: Promise<void> | undefined;

  /** What happens to the clients, from now on. Completes when all are closed. */
  readonly events$: Observable<ClientEvent> = this.#events.asObservable();

  /** @internal The module makes the registry: one that is made otherwise knows no client. */
  constructor(origin?: typeof REGISTRY) {
    if (origin !== REGISTRY && new.target === ClientRegistry) {
      throw new ClientsInvalidOptionsError(
        'ClientRegistry',
        'it is listed in "providers", or made with "new", and would know no client; take it out there: ' +
          'ClientsModule.forRoot() provides it, to every module or, where isGlobal is false, to those that import that',
      );
    }
    noteCopy();
    // closeAllClients() of nestjs-clients/testing listens to this channel, so that no list of registries is kept here.
    channel('nestjs-clients:registry').publish(this);
  }

  /**
   * The client of that name, built if this is its first use. If the token was overridden in a test, the override.
   *
   * Rejects with `CLIENTS_UNKNOWN` if none is declared, `CLIENTS_CLOSED` after shutdown has begun, and with what a failed
   * build says: `CLIENTS_CREATE_FAILED`, `CLIENTS_CREATE_TIMEOUT`, `CLIENTS_MISSING_PACKAGE`, `CLIENTS_INVALID_OPTIONS`.
   *
   * @example
   * const redis = await registry.get('redis');
   */
  get<N extends NameOf<C>>(name: N): Promise<ClientOf<C, N>>;
  get(name: string): Promise<unknown> {
    return this.#getBuilt(this.#registrations.get(name)) ?? this.#getFromNest(name);
  }

  /**
   * The client of that name if it is built, else `undefined`. Never builds.
   *
   * @throws ClientsUnknownError (`CLIENTS_UNKNOWN`) if none is declared; ClientsCreateFailedError
   * (`CLIENTS_CREATE_FAILED`) inside the `create` of a client that cannot be built on it
   * @example
   * registry.peek('redis')?.status;
   */
  peek<N extends NameOf<C>>(name: N): ClientOf<C, N> | undefined;
  peek(name: string): unknown {
    const { client } = this.#find(name);
    if (client?.instance !== undefined) this.#tracker.current?.dependOn(client);
    return client?.instance;
  }

  /**
   * Each declared client, in order of declaration.
   *
   * @example
   * registry.status().filter(({ state }) => state === 'open');
   */
  status(): ClientStatus[] {
    return [...this.#registrations.values()].map(({ name, definition, client, consumers }) => ({
      name,
      kind: definition.kind,
      state: client?.state ?? (this.#phase === 'closing' ? 'closed' : 'idle'),
      consumers: [...consumers],
      ...structuredClone(client?.history),
      ...(client?.members && { members: client.members }),
    }));
  }

  /**
   * Runs the health check of the client of that name. Never builds the client, and always answers.
   *
   * Rejects with `CLIENTS_UNKNOWN` if none is declared, `CLIENTS_INVALID_OPTIONS` if `timeout` is not a number above 0.
   *
   * @param options `timeout`: milliseconds until a client that does not answer counts as down, default 1,000
   * @example
   * const { status } = await registry.check('redis', { timeout: 250 }); // 'up', 'down' or 'idle'
   */
  async check(name: NameOf<C>, options: { timeout?: number } = {}): Promise<ClientHealth> {
    const { client, definition } = this.#find(name);
    const { timeout = CHECK_TIMEOUT } = options;
    if (typeof timeout !== 'number' || !(timeout > 0)) {
      throw new ClientsInvalidOptionsError(
        'ClientRegistry.check()',
        '"timeout" must be a number of milliseconds above 0',
      );
    }
    // Another application may have another name for it.
    if (client) return { ...(await client.check(timeout)), name };
    const about = { name, kind: definition.kind };
    if (this.#phase !== 'closing') return { ...about, status: 'idle' };
    const { name: type, message } = new ClientsClosedError(name);
    return { ...about, status: 'down', error: { name: type, message } };
  }

  /**
   * Closes every client that was built, dependents first, within `shutdownTimeout`. Shutdown calls it; so may scripts.
   *
   * Calling it again returns the same promise. Rejects with `CLIENTS_CLOSE_FAILED`, after all have been attempted, if some
   * did not close gracefully.
   *
   * @example
   * await registry.close();
   */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#phase = 'draining';
      this.#closed = this.#closeAll();
      // The caller gets the rejection; a call that nobody awaits must not crash the process.
      this.#closed.catch(() => {});
    }
    return this.#closed;
  }

  /**
   * Keeps every client open until `work` has settled, at most until `shutdownTimeout` is over: for jobs and message
   * handlers, which Nest does not wait for at shutdown. Settles as `work` does.
   *
   * Rejects with `CLIENTS_CLOSED`, and does not call `work`, once the clients close.
   *
   * @example
   * @Cron('* * * * *')
   * cleanUp() {
   *   return this.registry.use(() => this.sessions.deleteExpired());
   * }
   */
  async use<R>(work: () => R | Promise<R>): Promise<R> {
    if (this.#closed) throw new ClientsClosedError();
    const running = (async () => work())();
    this.#work.add(running);
    try {
      return await running;
    } finally {
      this.#work.delete(running);
    }
  }

  // ── for the module ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** @internal Whether these very definitions are declared already. */
  knows(definitions: ClientDefinitions): boolean {
    return this.#declarations.has(definitions);
  }

  /** @internal Declares the clients of one `forRoot` call. */
  declare(definitions: ClientDefinitions, source: ClientSource, shutdownTimeout?: number): void {
    const entries = Object.entries(definitions);
    for (const [name, definition] of entries) {
      if (this.#registrations.has(name)) throw new ClientsDuplicateError(name);
      if (definition.lifecycle.scope === 'process') this.#refuseSecondName(name, definition, entries);
    }
    for (const [name, definition] of entries) {
      const registration = new Registration(name, definition, source, this.#publish);
      this.#registrations.set(name, registration);
      if (registration.isOfProcess) registration.host = this.#hostOf(registration);
      if (this.#phase === 'started') registration.hold(); // of a module that is loaded lazily
    }
    this.#declarations.add(definitions);
    if (shutdownTimeout) this.#shutdownTimeout = Math.max(this.#shutdownTimeout ?? 0, shutdownTimeout);
  }

  /** @internal Refuses clients of these names that are built on others which nobody has declared. */
  verify(names: Iterable<string> = this.#registrations.keys()): void {
    for (const name of names) {
      for (const injected of this.#find(name).definition.blueprint.inject) {
        const { token, isOptional } = resolveDependency(injected);
        const dependency = getClientName(token);
        if (dependency !== undefined && !isOptional) this.#find(dependency, name);
      }
    }
  }

  /** @internal Shutdown has begun: nothing is built any more. What is built goes on until everything closes. */
  refuseBuilds(): void {
    if (this.#phase === 'booting' || this.#phase === 'started') this.#phase = 'stopping';
  }

  /** @internal The client for a class that injects it, built if it is the first. */
  async inject(name: string, consumer?: string): Promise<unknown> {
    const registration = this.#find(name);
    const instance = await (this.#getBuilt(registration) ?? this.#build(registration, consumer));
    if (consumer) registration.addConsumer(consumer);
    return instance;
  }

  /** @internal Bootstrap has succeeded: holds the clients, and opens the connections of those that are built. */
  async start(): Promise<void> {
    if (this.#phase !== 'booting') return;
    this.#phase = 'started';
    for (const event of this.#unlogged.values()) this.#log(event);
    this.#unlogged.clear();
    try {
      const clients: SharedClient[] = [];
      for (const registration of this.#registrations.values()) {
        for (const consumer of registration.eagerConsumers) registration.addConsumer(consumer);
        registration.hold();
        if (registration.client) clients.push(registration.client);
      }
      await Promise.all(clients.map((client) => this.#open(client)));
    } catch (error) {
      // Nest runs no hook of an application that fails to boot, so that nobody else would close them.
      await this.close().catch(() => {});
      throw error;
    }
  }

  async #open(client: SharedClient): Promise<void> {
    try {
      await client.open();
    } catch (error) {
      client.report(error);
      throw error;
    }
  }

  // ── build ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #find(name: string, dependent?: string): Registration {
    const registration = this.#registrations.get(name);
    if (!registration) throw new ClientsUnknownError(name, [...this.#registrations.keys()], dependent);
    return registration;
  }

  /** A shortcut to a client that is built. Not while another client is being built, whose dependency must be recorded. */
  #getBuilt(registration: Registration | undefined): Promise<unknown> | undefined {
    if (this.#tracker.current || registration?.client?.cancellation.isCancelled) return undefined;
    return registration?.built;
  }

  /** Asks Nest rather than `inject`, because a test may have overridden the token. */
  async #getFromNest(name: string): Promise<unknown> {
    const { source } = this.#find(name);
    if (this.#phase === 'closing') throw new ClientsClosedError(name);
    const [client] = await this.#resolve([getClientToken(name)], source);
    return client;
  }

  async #build(registration: Registration, consumer?: string): Promise<unknown> {
    const { name, client: known } = registration;
    const isBuilt = known?.state === 'creating' || known?.state === 'open';
    if (this.#phase === 'closing' || (!this.#mayBuild && !isBuilt)) throw new ClientsClosedError(name);
    this.#tracker.current?.dependOn(registration.share());
    const getReady = async (client: SharedClient): Promise<void> => {
      const built = client.get(this.#requestFor(registration, registration.definition, consumer));
      await built;
      // A client of the process may have been built by an application that is still booting.
      if (registration.isHolding) await client.open();
      if (!this.#cancellation.isCancelled) registration.built = built;
    };
    try {
      await registration.holdDuring((client) => within({ cancellation: this.#cancellation }, () => getReady(client)));
    } catch (error) {
      throw this.#cancellation.isCancelled
        ? new ClientsClosedError(name)
        : renameError(error as ClientsError, registration);
    }
    if (this.#cancellation.isCancelled) throw new ClientsClosedError(name); // in the very turn
    return registration.built;
  }

  /** What a build gets from this application: of the client itself, or of one of its keyed clients. */
  #requestFor(registration: Registration, definition: ClientDefinition, consumer?: string): BuildRequest {
    const { name, source } = registration;
    return {
      tracker: this.#tracker,
      consumer,
      isStarted: () => registration.isHolding,
      resolve: (tokens) => this.#resolve(tokens, source, name),
      resolveOptions: () => source.resolveOptions(name),
      findInjected: () => this.#findInjected(registration, definition),
      createPool: (owner, options) => {
        const { client } = registration;
        const host = registration.host ?? this.#hostOf(registration);
        // Applications that hold the clients come first: this one may fail to boot, or close before the others.
        return new ClientPool(owner, options, () => [...(client?.hosts ?? []), host]);
      },
    };
  }

  /** What keyed clients need from this application while they are used. */
  #hostOf(registration: Registration): PoolHost {
    return {
      mayBuild: () => this.#mayBuild,
      requestFor: (definition) => ({
        ...this.#requestFor(registration, definition),
        resolveOptions: () => Promise.resolve(undefined), // the factory of forRootAsync knows names, not keys
      }),
    };
  }

  get #mayBuild(): boolean {
    return this.#phase === 'booting' || this.#phase === 'started';
  }

  /** The clients that Nest has injected into what a client injects: nobody asks for those while it is built. */
  *#findInjected({ source, isOfProcess }: Registration, definition: ClientDefinition): Iterable<SharedClient> {
    for (const name of source.findDependencies(definition)) {
      const dependency = this.#registrations.get(name);
      // A client of the process outlives the application, and cannot keep one of its clients open.
      if (dependency?.client && (dependency.isOfProcess || !isOfProcess)) yield dependency.client;
    }
  }

  /** Gets values from Nest. A client that is being built in this context is built on the clients among them. */
  #resolve(injected: readonly Dependency[], source: ClientSource, consumer?: string): Promise<readonly unknown[]> {
    for (const dependency of injected) {
      const { token, isOptional } = resolveDependency(dependency);
      const name = getClientName(token);
      if (name === undefined || (isOptional && !this.#registrations.has(name))) continue;
      this.#tracker.current?.dependOn(this.#find(name).share());
    }
    return source.resolve(injected, consumer);
  }

  /** Refuses a client of the process that would have two names here: one definition is one client. */
  #refuseSecondName(name: string, definition: ClientDefinition, entries: [string, ClientDefinition][]): void {
    const registration = [...this.#registrations.values()].find((one) => one.definition === definition);
    const other = registration?.name ?? entries.find(([, one]) => one === definition)?.[0];
    if (other === undefined || other === name) return;
    const problem = `its definition, of scope "process", is declared as "${other}" too; give it one name`;
    throw new ClientsInvalidOptionsError(`Client "${name}"`, problem);
  }

  // ── close ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #closeAll(): Promise<void> {
    const end = performance.now() + (this.#shutdownTimeout ?? SHUTDOWN_TIMEOUT);
    const remaining = () => Math.max(0, end - performance.now());
    if (this.#work.size > 0) await this.#awaitWork(remaining);
    this.#phase = 'closing';
    this.#cancellation.cancel(() => new Error('the application is closing'));
    const failures = await this.#releaseAll({
      remaining,
      observe: (name, details) => this.#observeOther(name, details),
    });
    this.#events.complete();
    if (failures.size > 0) throw new ClientsCloseFailedError(failures);
  }

  async #awaitWork(remaining: () => number): Promise<void> {
    const settled = async () => void (await Promise.allSettled(this.#work));
    await within<void>({ timeout: remaining(), late: () => {} }, settled);
  }

  /**
   * Lets go of every client. Dependents close before what they are built on, because they hold it.
   *
   * @returns why clients did not close gracefully, by name
   */
  async #releaseAll(closing: Closing): Promise<Map<string, Error>> {
    const used: { registration: Registration; client: SharedClient }[] = [];
    for (const registration of this.#registrations.values()) {
      if (registration.client) used.push({ registration, client: registration.client });
    }
    // An application that has never started holds nothing yet. What has ended under it cannot be held, and need not be.
    for (const { registration, client } of used) attempt(() => registration.hold(client));
    for (const { registration, client } of used) {
      registration.built = undefined;
      if (!registration.isOfProcess) client.refuse();
    }
    const names = new Map<object, string>(used.map(({ client, registration }) => [client, registration.name]));
    const failures = new Map<string, Error>();
    const release = async ({ registration, client }: (typeof used)[number]): Promise<void> => {
      for (const [failed, error] of await client.release(registration, closing)) {
        // A client that is not declared here ended together with one that is, and is reported under that one's name.
        const name = names.get(failed) ?? registration.name;
        if (!failures.has(name)) failures.set(name, error);
      }
    };
    await Promise.all(used.map(release));
    for (const { client, registration } of used) {
      registration.detach(client);
      if (!client.cancellation.isCancelled) registration.client = undefined; // others go on with it
    }
    const declared = [...names.values()].filter((name) => failures.has(name));
    return new Map(declared.map((name) => [name, failures.get(name) as Error]));
  }

  /** Logs only. A client that ends with one of the process may have a name that means another client here. */
  #observeOther(name: string, details: ClientEventDetails): void {
    if (this.#registrations.has(name)) this.#logger.log({ client: name, at: new Date(), ...details });
    else this.#publish(name, details);
  }

  readonly #publish = (name: string, details: ClientEventDetails): void => {
    const event: ClientEvent = { client: name, at: new Date(), ...details };
    // A failed bootstrap throws its own error. A build that fails after it is logged only if the application does start.
    if (event.type === 'createFailed' && this.#phase === 'booting') this.#unlogged.set(name, event);
    else this.#log(event);
    this.#events.next(event);
  };

  #log(event: ClientEvent): void {
    try {
      this.#logger.log(event);
    } catch {
      // A logger that has ended before the clients must not keep them open.
    }
  }
}

/** The application that has built a client of the process may have another name for it. */
function renameError(error: ClientsError, { name, definition }: Registration): ClientsError {
  if (error.client === undefined || error.client === name) return error;
  const options = { cause: error };
  return error instanceof ClientsCreateTimeoutError
    ? new ClientsCreateTimeoutError(name, definition.lifecycle.createTimeout, error.message, options)
    : new ClientsCreateFailedError(name, error.message, options);
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // Each caller explains why this may fail.
  }
}
