import type { ClientDefinition, PoolOptions } from '../definition/client-definition.js';
import { LONGEST_TIMEOUT } from '../definition/client-lifecycle.js';
import { findDefinitionProblem } from '../definition/find-definition-problem.js';
import type { ClientLease, KeyedClients } from '../definition/keyed-clients.js';
import { ClientsClosedError } from '../errors/clients-closed.error.js';
import { ClientsCreateFailedError } from '../errors/clients-create-failed.error.js';
import { ClientsCreateTimeoutError } from '../errors/clients-create-timeout.error.js';
import { ClientsError } from '../errors/clients.error.js';
import { ClientsExhaustedError } from '../errors/clients-exhausted.error.js';
import { ClientsInvalidOptionsError } from '../errors/clients-invalid-options.error.js';
import { describeKey } from '../errors/describe-key.js';
import { describeError } from '../errors/describe-error.js';
import { outsideOfRequests } from './build-tracker.js';
import { Cancellation } from './cancellation.js';
import type { ClientStatus } from './client-status.js';
import { within } from './deadline.js';
import { UNHURRIED, type Closing } from './holding.js';
import { IdleEntry, IdleList } from './idle-list.js';
import { elapsed, type Surroundings } from './open-client.js';
import { SharedClient, type PoolHost } from './shared-client.js';

/** An error or a health answer names at most this many keys. */
const MOST_KEYS_NAMED = 5;

/** The client of one key, from its first use to its end. A later client of the same key is another `Member`. */
class Member extends IdleEntry {
  users = 1;
  /** Set once the key's definition is known. */
  client?: SharedClient;
  /** The client itself; set once it is built. */
  instance?: unknown;
  /** Settles when the build does. */
  ready?: Promise<unknown>;
  /** Settles when it has closed. Set once it is retired and the last user has released it. Never rejects. */
  ended?: Promise<void>;
  /** No longer handed out: the next use of the key builds a new client. */
  isRetired = false;
  /** When it closes unless it is used before, on the clock of `performance.now()`. */
  expiresAt = 0;

  constructor(readonly key: string) {
    super();
  }
}

/**
 * Builds one client for each key, keeps it while it is used and for `idleTimeout` after that, and then closes it. It has
 * `max` places: a client occupies one from its first use until it has closed.
 */
export class ClientPool<T> implements KeyedClients<T> {
  readonly #owner: Surroundings;
  readonly #options: PoolOptions;
  readonly #hosts: () => Iterable<PoolHost>;
  /** The members that are handed out, by key. */
  readonly #members = new Map<string, Member>();
  /** The members that nobody uses, in the order in which they expire. */
  readonly #idle = new IdleList<Member>();
  /** Retired members that have not closed yet. */
  readonly #retired = new Set<Member>();
  /** Closing members whose place is not reserved for a new member yet. */
  readonly #vacating = new Set<Member>();
  #places: number;
  #timer: NodeJS.Timeout | undefined;
  #isClosing = false;
  /** How the pool itself closes. Its time limit also applies to members that were closing before. */
  #closing: Closing = UNHURRIED;
  readonly #cutShort = new Cancellation();
  /** How a member closes that nobody uses: without hurry, until the pool closes. */
  readonly #unhurried: Closing = { remaining: () => this.#closing.remaining(), cutShort: this.#cutShort };

  constructor(owner: Surroundings, options: PoolOptions, hosts: () => Iterable<PoolHost>) {
    this.#owner = owner;
    this.#options = options;
    this.#hosts = hosts;
    this.#places = options.max;
  }

  // ── what is injected ───────────────────────────────────────────────────────────────────────────────────────────────

  async use<R>(key: string, work: (client: T) => R | Promise<R>): Promise<R> {
    const member = this.#acquire(key);
    try {
      const result = work((member.instance ?? (await member.ready)) as T);
      // Awaiting a plain value would double the cost of a synchronous use.
      return isThenable(result) ? await result : result;
    } finally {
      void this.#release(member);
    }
  }

  async lease(key: string): Promise<ClientLease<T>> {
    const member = this.#acquire(key);
    try {
      await member.ready;
    } catch (error) {
      void this.#release(member);
      throw error;
    }
    let released: Promise<void> | undefined;
    const release = (): Promise<void> => (released ??= Promise.resolve(this.#release(member)));
    return { client: member.instance as T, release, [Symbol.asyncDispose]: release };
  }

  async evict(key: string): Promise<void> {
    const member = this.#members.get(key);
    if (!member) return;
    this.#retire(member);
    await member.ended;
  }

  keys(): string[] {
    return [...this.#members.keys()];
  }

  // ── hold ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  #acquire(key: string): Member {
    const known = this.#members.get(key);
    if (known) {
      known.users += 1;
      if (known.users === 1) this.#idle.delete(known);
      return known;
    }
    if (typeof key !== 'string') {
      throw new ClientsInvalidOptionsError(
        `Client "${this.#owner.name}"`,
        'the key of a keyed client must be a string',
      );
    }
    const host = this.#findHost();
    if (this.#isClosing) throw this.#nameKey(new ClientsClosedError(this.#owner.name, 'request'), key);
    if (!host) throw this.#nameKey(new ClientsClosedError(this.#owner.name), key);
    const vacated = this.#takePlace(key);
    const member = new Member(key);
    this.#members.set(key, member);
    member.ready = outsideOfRequests(() => this.#build(member, host, vacated));
    member.ready.catch(() => this.#retire(member)); // a failed build is not kept; its users get the error from `ready`
    return member;
  }

  /** Reserves a place for a new client. If the place is still occupied, returns a promise that resolves when it is free. */
  #takePlace(key: string): Promise<void> | undefined {
    if (this.#places > 0) {
      this.#places -= 1;
      return undefined;
    }
    const idlest = this.#idle.first;
    if (this.#vacating.size === 0 && idlest) this.#retire(idlest);
    const [vacating] = this.#vacating;
    if (!vacating) throw this.#nameKey(new ClientsExhaustedError(this.#owner.name, this.#options.max), key);
    this.#vacating.delete(vacating);
    return vacating.ended;
  }

  /** Ends one use. If that closes the client, returns a promise that resolves when it has closed. */
  #release(member: Member): Promise<void> | undefined {
    member.users -= 1;
    if (member.users > 0) return undefined;
    if (member.isRetired) return this.#end(member);
    member.expiresAt = performance.now() + this.#options.idleTimeout;
    this.#idle.add(member);
    this.#timer ??= this.#expireIn(this.#options.idleTimeout);
    return undefined;
  }

  /** Stops handing out a member. It closes when its last user releases it, or at once if it has none. */
  #retire(member: Member): void {
    if (member.isRetired) return;
    member.isRetired = true;
    this.#members.delete(member.key);
    this.#idle.delete(member);
    this.#retired.add(member);
    if (member.users === 0) void this.#end(member);
  }

  #end(member: Member): Promise<void> {
    if (!member.ended) {
      this.#vacating.add(member);
      member.ended = outsideOfRequests(() => this.#close(member));
    }
    return member.ended;
  }

  async #close(member: Member): Promise<void> {
    await member.client?.release(member, this.#unhurried);
    this.#retired.delete(member);
    if (this.#vacating.delete(member)) this.#places += 1; // its place was not reserved: it is free now
  }

  /** One timer for all members. It keeps neither the process alive nor the AsyncLocalStorage of the request that starts it. */
  #expireIn(timeout: number): NodeJS.Timeout {
    return outsideOfRequests(() => setTimeout(() => this.#expire(), timeout).unref());
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (let member = this.#idle.first; member; member = this.#idle.first) {
      if (member.expiresAt > now) {
        this.#timer = this.#expireIn(member.expiresAt - now);
        return;
      }
      this.#retire(member);
    }
  }

  // ── build ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #build(member: Member, host: PoolHost, vacated: Promise<void> | undefined): Promise<unknown> {
    const { key } = member;
    const owner = this.#owner;
    await vacated;
    const definition = await this.#define(key);
    owner.cancellation.throwIfCancelled();
    const client = new SharedClient(owner.name, definition, undefined, key, owner);
    client.observers.add({ observe: (details) => owner.emit({ ...details, key }) });
    client.hold(member);
    member.client = client;
    member.instance = await client.get(host.requestFor(definition));
    return member.instance;
  }

  /** The application that built the pool or, if that has closed, another one that holds it. */
  #findHost(): PoolHost | undefined {
    for (const host of this.#hosts()) if (host.mayBuild()) return host;
    return undefined;
  }

  async #define(key: string): Promise<ClientDefinition> {
    const { name, definition, cancellation, redactor } = this.#owner;
    const startedAt = performance.now();
    const timeout = definition.lifecycle.createTimeout;
    const late = () => {
      throw new ClientsCreateTimeoutError(name, timeout, 'define() has not returned yet');
    };
    try {
      const found = await within<unknown>({ timeout, late, cancellation }, () => this.#options.define(key));
      const wrong = findDefinitionProblem(found, false);
      if (wrong) throw new ClientsInvalidOptionsError(`Client "${name}", ${wrong.part}`, wrong.problem);
      const { lifecycle } = found as ClientDefinition;
      if (lifecycle.scope === 'app') return found as ClientDefinition;
      const problem = 'the definition of a keyed client cannot have scope "process"; give that to keyedClients()';
      throw new ClientsInvalidOptionsError(`Client "${name}"`, problem);
    } catch (error) {
      const failure =
        error instanceof ClientsError && (error.client ?? name) === name
          ? error
          : new ClientsCreateFailedError(name, describeError(redactor.error(error)), { cause: redactor.error(error) });
      this.#owner.emit({ type: 'createFailed', duration: elapsed(startedAt), error: this.#nameKey(failure, key), key });
      throw failure;
    }
  }

  #nameKey<E extends ClientsError>(error: E, key: string): E {
    return error.ofKey(key, this.#owner.name);
  }

  // ── for the registry ───────────────────────────────────────────────────────────────────────────────────────────────

  /** @internal All clients, including retired ones. */
  clients(): SharedClient[] {
    return this.#all().flatMap(({ client }) => client ?? []);
  }

  /** @internal The status of all clients, including retired ones. */
  status(): (ClientStatus & { key: string; users: number })[] {
    return this.#all().map(({ key, users, client }) => ({
      name: this.#owner.name,
      key,
      kind: client?.definition.kind ?? 'unknown',
      state: client?.state ?? 'creating',
      consumers: [],
      users,
      ...structuredClone(client?.history),
      ...(client?.members && { members: client.members }),
    }));
  }

  /** @internal Checks the clients that are in use. Resolves with an error that names the keys of those that are down, if any. */
  async check(timeout: number): Promise<Error | undefined> {
    const down: string[] = [];
    const used = this.#all().filter(({ users, instance }) => users > 0 && instance !== undefined);
    await Promise.all(
      used.map(async ({ key, client }) => {
        const health = await client?.check(timeout);
        if (health?.status === 'down') down.push(`${describeKey(key)}: ${health.error?.message}`);
      }),
    );
    if (down.length === 0) return undefined;
    return new Error(`${down.length} of ${used.length} keys in use cannot be used: ${nameSome(down)}`);
  }

  /**
   * @internal Builds nothing from now on, lets running work finish, and then closes the clients in parallel. Those in use when
   * the time is up are closed all the same. Never rejects. Resolves with an error if some did not close gracefully.
   */
  async close(closing: Closing, longestWork: number): Promise<Error | undefined> {
    this.#isClosing = true;
    this.#closing = closing;
    clearTimeout(this.#timer);
    const all = this.#all();
    const timesUp = (): void => this.#cutShort.cancel(() => new Error('shutdown had no more time for it'));
    const timer = setTimeout(timesUp, Math.min(closing.remaining(), LONGEST_TIMEOUT));
    const unsubscribe = closing.cutShort?.subscribe(timesUp);
    try {
      for (const member of all) this.#retire(member);
      await this.#awaitEnds(all, Math.min(longestWork, closing.remaining()));
      return await this.#endAll(all, closing);
    } finally {
      clearTimeout(timer);
      unsubscribe?.();
    }
  }

  /** Waits until the clients have closed because their users released them. */
  async #awaitEnds(all: readonly Member[], timeout: number): Promise<void> {
    const ended = async (): Promise<void> => {
      await Promise.all(all.map(async ({ ended: end, client }) => end ?? client?.whenEnded()));
    };
    // Clients that are still in use when the time is up are no longer waited for.
    await within<void>({ timeout, late: () => {}, cancellation: this.#cutShort }, ended).catch(() => {});
  }

  async #endAll(all: readonly Member[], closing: Closing): Promise<Error | undefined> {
    const failures: string[] = [];
    await Promise.all(
      all.map(async ({ key, client }) => {
        for (const [, error] of (await client?.end(closing)) ?? [])
          failures.push(`${describeKey(key)}: ${error.message}`);
      }),
    );
    return failures.length === 0 ? undefined : new Error(`of its keys: ${nameSome(failures)}`);
  }

  #all(): Member[] {
    return [...this.#members.values(), ...this.#retired];
  }
}

function isThenable(value: unknown): boolean {
  return value !== null && (typeof value === 'object' || typeof value === 'function') && 'then' in value;
}

function nameSome(all: readonly string[]): string {
  const more = all.length - MOST_KEYS_NAMED;
  return all.slice(0, MOST_KEYS_NAMED).join('; ') + (more > 0 ? `; and ${more} more` : '');
}
