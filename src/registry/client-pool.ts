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

/** How many keys an error or a health answer names at most. */
const MOST_KEYS_NAMED = 5;

/** The client of one key, from its first use to its end. Its identity tells it from later clients of the same key. */
class Member extends IdleEntry {
  users = 1;
  /** There once the key's definition is known. */
  client?: SharedClient;
  /** The client itself, once it is built. */
  instance?: unknown;
  /** Settles when it is built. */
  ready?: Promise<unknown>;
  /** There once nobody new gets it and the last user has let go. Never rejects. */
  ended?: Promise<void>;
  /** Nobody new gets it. */
  isRetired = false;
  /** When it closes if nobody uses it before: milliseconds, as `performance.now()` has them. */
  expiresAt = 0;

  constructor(readonly key: string) {
    super();
  }
}

/**
 * Builds a client for each key, once, holds it while it is used and for `idleTimeout` after that, and closes it. Takes at
 * most `max` places: a client takes one from its first use until it has closed.
 */
export class ClientPool<T> implements KeyedClients<T> {
  readonly #owner: Surroundings;
  readonly #options: PoolOptions;
  readonly #hosts: () => Iterable<PoolHost>;
  /** Those that are handed out. */
  readonly #members = new Map<string, Member>();
  /** Those that nobody uses. The one that has been idle for longest comes first, and so expires first. */
  readonly #idle = new IdleList<Member>();
  /** Those that nobody new gets, and that have not ended. */
  readonly #retired = new Set<Member>();
  /** Retired ones that are ending and whose place nobody has been promised yet. */
  readonly #vacating = new Set<Member>();
  #places: number;
  #timer: NodeJS.Timeout | undefined;
  #isClosing = false;
  /** The closing of what holds all of them: from then on its limit is the limit of those that are closing already, too. */
  #closing: Closing = UNHURRIED;
  readonly #cutShort = new Cancellation();
  /** Of a client that ends because nobody uses it. */
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
      // An `await` takes as long as the rest of this, also where there is nothing to wait for.
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
    if (this.#isClosing || !host) throw this.#nameKey(new ClientsClosedError(this.#owner.name), key);
    const vacated = this.#takePlace(key);
    const member = new Member(key);
    this.#members.set(key, member);
    member.ready = outsideOfRequests(() => this.#build(member, host, vacated));
    member.ready.catch(() => this.#retire(member)); // a failed build is forgotten; whoever uses it hears of it
    return member;
  }

  /** Takes a place for a new client. Returns what has to end before it is free, if it is not. */
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

  /** Returns when it has closed, if it closes now. */
  #release(member: Member): Promise<void> | undefined {
    member.users -= 1;
    if (member.users > 0) return undefined;
    if (member.isRetired) return this.#end(member);
    member.expiresAt = performance.now() + this.#options.idleTimeout;
    this.#idle.add(member);
    this.#timer ??= this.#expireIn(this.#options.idleTimeout);
    return undefined;
  }

  /** Nobody new gets it. It ends when the last user lets go; at once, if there is none. */
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
    if (this.#vacating.delete(member)) this.#places += 1; // nobody has been promised its place
  }

  /** One timer for all, which does not keep the process alive, nor the store of the request that happens to start it. */
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

  /** The application that has built the pool, or another one that holds it and goes on. */
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

  /** @internal The clients that there are, retired ones included. */
  clients(): SharedClient[] {
    return this.#all().flatMap(({ client }) => client ?? []);
  }

  /** @internal Each client that there is, retired ones included. */
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

  /** @internal Checks the clients that are in use. Rejects with the keys of those that cannot be used. */
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
   * @internal Nothing is built any more. Running work ends on open clients; then they close, in parallel. What is in use when
   * the time is up closes all the same. Never rejects. Returns why some did not close gracefully, if so.
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

  /** Waits until the clients have ended because nobody uses them any more. */
  async #awaitEnds(all: readonly Member[], timeout: number): Promise<void> {
    const ended = async (): Promise<void> => {
      await Promise.all(all.map(async ({ ended: end, client }) => end ?? client?.whenEnded()));
    };
    // When the time for closing everything is up, those that are in use are not waited for any longer.
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
