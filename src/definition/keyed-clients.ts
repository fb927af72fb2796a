import { ClientDefinition } from './client-definition.js';
import type { Dependency, InjectedValues } from './dependency.js';
import type { ClientLifecycle } from './client-lifecycle.js';
import { findOptionProblem, isFunction, isObject, timeoutFrom, TOKENS, wholeNumber, type Rules } from './rules.js';

/** Milliseconds that a client stays open when nobody uses it, by default. */
const IDLE_TIMEOUT = 60_000;
/** How many clients there may be at a time, by default. */
const MAX = 100;

/** How to make a client for each key, as `keyedClients` takes it. */
export interface KeyedClientsSource<T, I extends readonly Dependency[] = readonly Dependency[]> {
  /**
   * What `define` needs from Nest, in order: tokens, `{ token, optional: true }`, `forwardRef(() => Token)`. Other clients
   * too: `getClientToken('dynamodb')`. Default none.
   */
  inject?: readonly [...I] | readonly Dependency[];
  /**
   * Returns the definition of the client for that key: `redisClient(url)`, `awsClient(…)`, `defineClient(…)`. It is called
   * at the first use of a key, and again after its client has closed. It may look the key up in a service or a database.
   * Throw for a key that there is not: the use then rejects with `CLIENTS_CREATE_FAILED`, and your error is its `cause`.
   * Parameters are typed by the classes in `inject`; annotate those that a string or symbol stands for.
   */
  define(key: string, ...dependencies: InjectedValues<I>): ClientDefinition<T> | Promise<ClientDefinition<T>>;
  /** Milliseconds that a client stays open when nobody uses it; 0 closes it at once. Default 60,000. */
  idleTimeout?: number;
  /**
   * How many clients there may be at a time. The one that has been idle for longest closes to make room; if all are in use,
   * the next key fails with `CLIENTS_EXHAUSTED`. Default 100.
   */
  max?: number;
}

/** A client that is held open until it is released. */
export interface ClientLease<T> extends AsyncDisposable {
  /** The client itself. Do not use it after `release`. */
  readonly client: T;
  /** Lets go of the client. A second call does nothing. Resolves when the client has closed, if this closes it. */
  release(): Promise<void>;
}

/**
 * Clients by a key that is known at run time only: one for each tenant, region or account. This is what is injected.
 *
 * @example
 * constructor(@InjectClient('tenants') private readonly tenants: KeyedClients<Redis>) {}
 *
 * async visits(tenant: string) {
 *   return this.tenants.use(tenant, (redis) => redis.incr('visits'));
 * }
 */
export interface KeyedClients<T> {
  /**
   * Calls `work` with the client of that key, which is built if this is its first use, and stays open until `work` has
   * settled. Settles as `work` does.
   *
   * Rejects without calling `work`: with the error of building the client (`CLIENTS_CREATE_FAILED` and the like), with
   * `CLIENTS_EXHAUSTED` if `max` clients are all in use, with `CLIENTS_CLOSED` once shutdown has begun, unless somebody is
   * still using that client, and with `CLIENTS_INVALID_OPTIONS` if the key is not a string.
   *
   * @example
   * const total = await tenants.use('acme', (redis) => redis.get('total'));
   */
  use<R>(key: string, work: (client: T) => R | Promise<R>): Promise<R>;
  /**
   * The client of that key, open until it is released. Rejects as `use` does.
   *
   * @example
   * await using lease = await tenants.lease('acme');
   * await lease.client.ping();
   */
  lease(key: string): Promise<ClientLease<T>>;
  /**
   * Takes the client of that key out of use. It closes when its last user lets go of it, and the next use builds a new one.
   * Resolves when it has closed, or at once if somebody still uses it. Does nothing if there is no such client.
   *
   * @example
   * await tenants.evict('acme'); // its password has changed
   */
  evict(key: string): Promise<void>;
  /**
   * The keys of the clients that exist: those being built, in use or idle. Not those that were evicted, even if still in use.
   *
   * @example
   * tenants.keys().length;
   */
  keys(): string[];
}

/**
 * Declares a client for each key. Each is built at the first use of its key, shared by all who use it, and closed when
 * nobody has used it for `idleTimeout`.
 *
 * At shutdown, clients stay open until the work that uses them has finished. Then all close, before what they are built on.
 *
 * Each client's own definition says how it is managed (`closeTimeout`, `waitUntilReady`, …). These are given here: a
 * `closeTimeout` that limits how long shutdown waits for work (without one, `shutdownTimeout` does), a `createTimeout` that
 * limits `define` (default 10,000 ms), and `scope: 'process'`, which the definition of a single key must not have.
 *
 * Wrong options make `forRoot` throw `CLIENTS_INVALID_OPTIONS`.
 *
 * @example
 * ClientsModule.forRoot({
 *   clients: {
 *     tenants: keyedClients({
 *       inject: [TenantsService],
 *       define: async (key, tenants) => redisClient(await tenants.findRedisUrl(key)),
 *       idleTimeout: 30_000,
 *     }),
 *   },
 * });
 */
export function keyedClients<T, I extends readonly Dependency[] = readonly Dependency[]>(
  source: KeyedClientsSource<T, I>,
  lifecycle?: ClientLifecycle,
): ClientDefinition<KeyedClients<T>, never> {
  const checked = (isObject(source) ? source : {}) as Partial<KeyedClientsSource<T>>;
  return new ClientDefinition<KeyedClients<T>, never>(
    {
      kind: 'keyed',
      inject: checked.inject ?? [],
      driver: {},
      findProblem: () => findSourceProblem(source),
      create: ({ createPool, dependencies }) =>
        createPool({
          define: (key) => source.define(key, ...(dependencies as InjectedValues<I>)),
          idleTimeout: source.idleTimeout ?? IDLE_TIMEOUT,
          max: source.max ?? MAX,
        }) as KeyedClients<T>,
    },
    lifecycle,
  );
}

const SOURCE_RULES: Rules = {
  inject: TOKENS,
  define: [isFunction, 'must be a function that returns the definition of the client for a key'],
  idleTimeout: timeoutFrom(0),
  max: wholeNumber(1),
};

function findSourceProblem(source: unknown): string | undefined {
  if (!isObject(source)) return 'keyedClients() takes an object: { define: (key) => redisClient(...) }';
  return findOptionProblem(source, SOURCE_RULES, 'define');
}
