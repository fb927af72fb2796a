import { channel } from 'node:diagnostics_channel';
import { setMaxListeners } from 'node:events';
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
import type { ClientEvent, ClientEventDetails } from '../events/client-event.js';
import { ClientLogger } from '../events/client-logger.js';
import { BuildTracker } from './build-tracker.js';
import type { ClientHealth, ClientStatus } from './client-status.js';
import type { Build } from './build.js';
import { within } from './deadline.js';
import { shareInProcess } from './process-clients.js';
import { SharedClient, type CloseFailure, type Holder } from './shared-client.js';

/** Milliseconds that a health check may take unless told otherwise. */
const CHECK_TIMEOUT = 1_000;
/** Milliseconds that closing everything may take unless told otherwise. */
const SHUTDOWN_TIMEOUT = 10_000;

/** The token of the registry that the module itself uses, whatever a test puts in the place of `ClientRegistry`. */
export const REGISTRY = Symbol('nestjs-clients:registry');

/** Where the clients of one `forRoot` call get what they need. */
export interface ClientSource {
  /** Gets values from Nest, in the module of that call; `consumer` is whom they are for, if anyone. */
  resolve(tokens: readonly Dependency[], consumer?: string): Promise<readonly unknown[]>;
  /** The options that the factory of `forRootAsync` supplies for the client of that name. */
  supply(name: string): Promise<unknown>;
  /** The names of the classes that inject the eager client of that name. */
  findConsumers(name: string): readonly string[];
  /** The names of the clients that a client is built on, through whatever other providers. */
  findDependencies(definition: ClientDefinition): readonly string[];
}

/** The names that a registry of clients `C` takes: any, if `C` is not known, as `app.get(ClientRegistry)` leaves it. */
type NameOf<C> = unknown extends C ? string : keyof C & string;
type ClientOf<C, N> = N extends keyof C ? C[N] : unknown;

/** A client as an application declares it, which holds it from its start, or the first use on, until it closes. */
interface Declared extends Holder {
  readonly name: string;
  readonly definition: ClientDefinition;
  readonly source: ClientSource;
  /** Publishes what happens to the client. */
  readonly observe: (occurrence: ClientEventDetails) => void;
  consumers?: Set<string>;
  /** How many wait for it. */
  asking: number;
  /** There from the first use on. */
  client?: SharedClient | undefined;
  /** What `get` gives once the client is built, until everything closes. */
  built?: Promise<unknown> | undefined;
}

/**
 * All clients of an application: typed access by name, their status, health and events, and their end.
 *
 * Inject it anywhere; there is one an application. `C` is what `ClientsOf<typeof clients>` gives.
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
  readonly #declared = new Map<string, Declared>();
  readonly #tracker = new BuildTracker<Build>();
  readonly #logger = new ClientLogger();
  readonly #events = new Subject<ClientEvent>();
  /** Failed builds of an application that has not started, by client: logged if it does. */
  readonly #unlogged = new Map<string, ClientEvent>();
  #shutdownTimeout: number | undefined;
  #started = false;
  #refusesBuilds = false;
  /** Aborted when clients begin to close: one that other applications go on with would let nobody go. */
  readonly #refusal = new AbortController();
  #closing: Promise<void> | undefined;

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
    setMaxListeners(0, this.#refusal.signal); // else Node warns when more than ten wait
    // How `closeAllClients` of nestjs-clients/testing learns of registries, without a list of them here.
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
    return this.#getBuilt(this.#declared.get(name)) ?? this.#getFromNest(name);
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
    return [...this.#declared.values()].map((declared) => ({
      name: declared.name,
      kind: declared.definition.kind,
      state: declared.client?.state ?? (this.#closing ? 'closed' : 'idle'),
      consumers: [...(declared.consumers ?? findEagerConsumers(declared))],
      ...structuredClone(declared.client?.history),
    }));
  }

  /**
   * Asks the client of that name whether it is well. Never builds, and always answers.
   *
   * Rejects with `CLIENTS_UNKNOWN` if none is declared, `CLIENTS_INVALID_OPTIONS` if `timeout` is none.
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
    if (!this.#closing) return { ...about, status: 'idle' };
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
    if (!this.#closing) {
      this.refuseBuilds();
      this.#refusal.abort();
      this.#closing = this.#closeAll();
      // Whoever calls hears of a failure; a call that nobody awaits must not crash the process.
      this.#closing.catch(() => {});
    }
    return this.#closing;
  }

  /** @internal Whether these very definitions are declared already. */
  knows(definitions: ClientDefinitions): boolean {
    return this.#declarations.has(definitions);
  }

  /** @internal Declares the clients of one `forRoot` call. */
  declare(definitions: ClientDefinitions, source: ClientSource, shutdownTimeout?: number): void {
    const entries = Object.entries(definitions);
    for (const [name, definition] of entries) {
      if (this.#declared.has(name)) throw new ClientsDuplicateError(name);
      if (definition.lifecycle.scope === 'process') this.#refuseSecondName(name, definition, entries);
    }
    for (const [name, definition] of entries) {
      const observe = (occurrence: ClientEventDetails) => this.#publish(name, occurrence);
      const declared = { name, definition, source, observe, isHolding: true, asking: 0 };
      this.#declared.set(name, declared);
      if (this.#started && !this.#closing) this.#hold(declared); // of a module that is loaded lazily
    }
    this.#declarations.add(definitions);
    if (shutdownTimeout) this.#shutdownTimeout = Math.max(this.#shutdownTimeout ?? 0, shutdownTimeout);
  }

  /** @internal Refuses clients of these names that are built on others which nobody has declared. */
  verify(names: Iterable<string> = this.#declared.keys()): void {
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
    this.#refusesBuilds = true;
  }

  /** @internal The client for a class that injects it, built if it is the first. */
  async inject(name: string, consumer?: string): Promise<unknown> {
    const declared = this.#find(name);
    const instance = await (this.#getBuilt(declared) ?? this.#build(declared, consumer));
    if (consumer) this.#addConsumer(declared, consumer);
    return instance;
  }

  /** @internal Bootstrap has succeeded: opens the connections of every client that is built. */
  async start(): Promise<void> {
    if (this.#started || this.#closing) return;
    this.#started = true;
    for (const event of this.#unlogged.values()) this.#log(event);
    this.#unlogged.clear();
    const clients: SharedClient[] = [];
    try {
      for (const declared of this.#declared.values()) {
        for (const consumer of findEagerConsumers(declared)) this.#addConsumer(declared, consumer);
        this.#hold(declared);
        if (declared.client) clients.push(declared.client);
      }
      await Promise.all(clients.map((client) => this.#open(client)));
    } catch (error) {
      // Nest runs no hook of an application that fails to boot, so that nobody else would close them.
      await this.close().catch(() => {});
      throw error;
    }
  }

  /** An application that has started holds the clients of the process that it declares, used or not. */
  #hold(declared: Declared): void {
    if (declared.definition.lifecycle.scope === 'app') return declared.client?.attach(); // held from its first use on
    const client = this.#shared(declared);
    client.hold(declared);
    client.observers.add(declared.observe);
  }

  async #open(client: SharedClient): Promise<void> {
    try {
      await client.open();
    } catch (error) {
      client.report(error);
      throw error;
    }
  }

  #addConsumer(declared: Declared, consumer: string): void {
    const consumers = (declared.consumers ??= new Set());
    if (consumers.has(consumer)) return;
    consumers.add(consumer);
    this.#publish(declared.name, { type: 'injected', consumer });
  }

  #find(name: string, dependent?: string): Declared {
    const declared = this.#declared.get(name);
    if (!declared) throw new ClientsUnknownError(name, [...this.#declared.keys()], dependent);
    return declared;
  }

  /** The short way to a client; closed while another is being built, which must be seen to depend on it. */
  #getBuilt(declared: Declared | undefined): Promise<unknown> | undefined {
    return this.#tracker.current || declared?.client?.isRefused ? undefined : declared?.built;
  }

  /** Asks Nest rather than `inject`, because a test may have overridden the token. */
  async #getFromNest(name: string): Promise<unknown> {
    const { source } = this.#find(name);
    if (this.#closing) throw new ClientsClosedError(name);
    const [client] = await this.#resolve([getClientToken(name)], source);
    return client;
  }

  async #build(declared: Declared, consumer?: string): Promise<unknown> {
    const { name, source } = declared;
    const state = declared.client?.state;
    if (this.#refusesBuilds && state !== 'creating' && state !== 'open') throw new ClientsClosedError(name);
    const client = this.#shared(declared);
    this.#tracker.current?.dependOn(client);
    client.hold(declared);
    client.observers.add(declared.observe);
    declared.asking += 1;
    const isReady = async () => {
      const shared = client.get({
        tracker: this.#tracker,
        consumer,
        started: () => this.#started,
        resolve: (tokens) => this.#resolve(tokens, source, name),
        supply: () => source.supply(name),
        findBehind: () => this.#findBehind(declared),
      });
      await shared;
      // One of scope 'process' may have been built by an application that is still booting.
      if (this.#started) await client.open();
      return shared;
    };
    try {
      const instance = await within({ signal: this.#refusal.signal }, isReady);
      if (!this.#closing) declared.built = Promise.resolve(instance);
    } catch (error) {
      if (!this.#closing) throw nameAfter(declared, error as ClientsError);
    } finally {
      declared.asking -= 1;
      this.#stopWaiting(declared, client);
    }
    if (!declared.built) throw new ClientsClosedError(name);
    return declared.built;
  }

  /** An application that has not started holds a client of the process no longer than it waits for it. */
  #stopWaiting(declared: Declared, client: SharedClient): void {
    if (this.#started || declared.asking > 0 || declared.definition.lifecycle.scope === 'app') return;
    void client.letGo(declared);
    client.observers.delete(declared.observe);
  }

  /** The clients that Nest has injected into what a client injects: nobody asks for those while it is built. */
  *#findBehind({ definition, source }: Declared): Iterable<SharedClient> {
    for (const name of source.findDependencies(definition)) {
      const dependency = this.#declared.get(name);
      // A client of the process outlives the application: it cannot keep one of its clients open.
      const fits = dependency?.definition.lifecycle.scope === 'process' || definition.lifecycle.scope === 'app';
      if (dependency?.client && fits) yield dependency.client;
    }
  }

  /** Refuses a client of the process that would have two names here: one definition is one client. */
  #refuseSecondName(name: string, definition: ClientDefinition, entries: [string, ClientDefinition][]): void {
    const declared = [...this.#declared.values()].find((one) => one.definition === definition);
    const other = declared?.name ?? entries.find(([, one]) => one === definition)?.[0];
    if (other === undefined || other === name) return;
    const problem = `its definition, of scope "process", is declared as "${other}" too; give it one name`;
    throw new ClientsInvalidOptionsError(`Client "${name}"`, problem);
  }

  /** Gets values from Nest. A client that is being built in this context is built on the clients among them. */
  #resolve(tokens: readonly Dependency[], source: ClientSource, consumer?: string): Promise<readonly unknown[]> {
    for (const dependency of tokens) {
      const { token, isOptional } = resolveDependency(dependency);
      const name = getClientName(token);
      if (name !== undefined && (!isOptional || this.#declared.has(name)))
        this.#tracker.current?.dependOn(this.#shared(this.#find(name)));
    }
    return source.resolve(tokens, consumer);
  }

  #shared(declared: Declared): SharedClient {
    const { name, definition } = declared;
    if (definition.lifecycle.scope === 'process') {
      // One that others have closed since is not what this application was given.
      if (!declared.client || (declared.client.isRefused && !declared.built))
        declared.client = shareInProcess(name, definition);
    } else if (!declared.client) {
      declared.client = new SharedClient(name, definition);
      declared.client.hold(declared);
      declared.client.observers.add(declared.observe);
    }
    return declared.client;
  }

  async #closeAll(): Promise<void> {
    const end = performance.now() + (this.#shutdownTimeout ?? SHUTDOWN_TIMEOUT);
    const remaining = () => Math.max(0, end - performance.now());
    const closing = new Map<SharedClient, Declared>();
    for (const declared of this.#declared.values()) {
      declared.built = undefined;
      const { client, definition } = declared;
      if (!client) continue;
      closing.set(client, declared);
      client.observers.add(declared.observe);
      if (definition.lifecycle.scope === 'app') client.refuse(remaining);
      try {
        client.attach();
      } catch {
        // What it is built on has closed under an application that had not started.
      }
    }
    const failures = new Map<string, Error>();
    const collect = async (declared: Declared, closed: Promise<CloseFailure[]>): Promise<void> => {
      for (const [client, error] of await closed) {
        const { name } = closing.get(client) ?? declared;
        if (!failures.has(name)) failures.set(name, error);
      }
    };
    await Promise.all([...closing].map(([client, declared]) => collect(declared, client.release(declared, remaining))));
    // What work or leases still hold is closed with the last of them, or when the time is up.
    const held = [...closing].filter(
      ([client, { definition }]) => client.isHeld && definition.lifecycle.scope === 'app',
    );
    if (held.length > 0) {
      await within({ timeout: remaining(), late: ignore }, async () => {
        await Promise.all(held.map(([client]) => client.whenLetGo()));
      });
      await Promise.all(held.map(([client, declared]) => collect(declared, client.end(remaining))));
    }
    this.#events.complete();
    for (const [client, declared] of closing) {
      client.observers.delete(declared.observe);
      if (!client.isRefused) declared.client = undefined; // others go on with it
    }
    if (failures.size === 0) return;
    const names = [...this.#declared.keys()].filter((name) => failures.has(name));
    throw new ClientsCloseFailedError(new Map(names.map((name) => [name, failures.get(name) as Error])));
  }

  #publish(name: string, occurrence: ClientEventDetails): void {
    const event: ClientEvent = { client: name, at: new Date(), ...occurrence };
    // A bootstrap that fails throws what made it fail. A build that goes on after that, and fails too, is nobody's trouble.
    if (event.type === 'createFailed' && !this.#started) this.#unlogged.set(name, event);
    else this.#log(event);
    this.#events.next(event);
  }

  #log(event: ClientEvent): void {
    try {
      this.#logger.log(event);
    } catch {
      // A logger that has ended before the clients must not keep them open.
    }
  }
}

/** The application that has built a client of the process may have another name for it. */
function nameAfter({ name, definition }: Declared, error: ClientsError): ClientsError {
  if (error.client === undefined || error.client === name) return error;
  const options = { cause: error };
  return error instanceof ClientsCreateTimeoutError
    ? new ClientsCreateTimeoutError(name, definition.lifecycle.createTimeout, error.message, options)
    : new ClientsCreateFailedError(name, error.message, options);
}

/** Whom an eager client is injected into: as an ordinary singleton it is not told. */
function findEagerConsumers({ name, definition, source }: Declared): readonly string[] {
  return definition.lifecycle.eager ? source.findConsumers(name) : [];
}

function ignore(): void {}
