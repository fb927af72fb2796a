import { VERSION } from '../errors/version.js';
import type { Redactor } from '../redaction/redactor.js';
import type { ClientBehaviour } from './client-driver.js';
import type { Dependency } from './dependency.js';
import { DEFAULT_LIFECYCLE, type ClientLifecycle, type ResolvedLifecycle } from './client-lifecycle.js';
import { withoutUndefined } from './rules.js';

declare const types: unique symbol;

/** Marks definitions, so that every copy of the package recognises them. The value is the version of the copy that made one. */
const BRAND = Symbol.for('nestjs-clients:definition');

/** The options of `keyedClients`, with defaults filled in. */
export interface PoolOptions {
  /** Returns the definition of the client for that key. The pool checks that it is one. */
  define(key: string): unknown;
  /** Milliseconds that a client stays open when nobody uses it. */
  readonly idleTimeout: number;
  /** How many clients there may be at a time. */
  readonly max: number;
}

/** What a definition has at hand while it builds its client. */
export interface BuildContext {
  /** The client's name, for errors. */
  readonly name: string;
  /** The values of the definition's `inject`, in order. */
  readonly dependencies: readonly unknown[];
  /** The options for this client that the factory of `forRootAsync` returned, if any. */
  readonly factoryOptions: unknown;
  /** Show it the options: it strikes the credentials in them out of everything that is published. */
  readonly redactor: Redactor;
  /** Makes the `KeyedClients` that builds, holds and closes a client for each key. */
  readonly createPool: (options: PoolOptions) => unknown;
}

/** All that the registry needs to know about one definition. */
export interface ClientBlueprint<T> {
  readonly kind: string;
  readonly inject: readonly Dependency[];
  /** Its hooks are called as methods, because a driver may be an instance of a class. */
  readonly driver: ClientBehaviour<T>;
  /** Whether the client takes options from the factory of `forRootAsync`. */
  readonly configurable?: boolean;
  /** Says what is wrong with the options that are known before an application exists. Never repeats a value. */
  findProblem(options: { fromFactory: boolean }): string | undefined;
  create(context: BuildContext): T | Promise<T>;
}

/**
 * A client as declared: how to build it and how it is managed. It builds nothing, loads nothing and holds no resource.
 *
 * Made by `defineClient`, `redisClient`, `dynamoDBClient` and the like; `T` is the client, `O` the options that
 * the factory of `forRootAsync` can return for it (`never` if the client takes none).
 */
export class ClientDefinition<T = unknown, O = unknown> {
  /** Exists in the types only: it carries the type parameters. */
  declare readonly [types]: { readonly client: T; readonly options: O };
  static {
    Object.defineProperty(this.prototype, BRAND, { value: VERSION });
  }

  /** @internal */
  readonly lifecycle: ResolvedLifecycle;

  /** @internal */
  constructor(
    /** @internal */ readonly blueprint: ClientBlueprint<T>,
    /** @internal As the user wrote it. It is validated later, when the client's name is known. */
    readonly declaredLifecycle?: ClientLifecycle,
  ) {
    this.lifecycle = { ...DEFAULT_LIFECYCLE, ...withoutUndefined(declaredLifecycle ?? {}) };
  }

  /** What kind of client this is, as `status()` shows it. */
  get kind(): string {
    return this.blueprint.kind;
  }
}

/** The version of another copy of the package that made this definition, or `undefined` if no other copy did. */
export function findOtherVersion(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || value instanceof ClientDefinition) return undefined;
  const version: unknown = Reflect.get(value, BRAND);
  if (typeof version === 'string') return version;
  return value.constructor?.name === 'ClientDefinition' && 'blueprint' in value ? '0.1.0 or older' : undefined;
}

/** Clients by name, as `forRoot({ clients })` takes them. */
export type ClientDefinitions = Readonly<Record<string, ClientDefinition>>;

/**
 * The clients of some definitions, by name.
 *
 * @example
 * type AppClients = ClientsOf<typeof clients>; // { dynamodb: DynamoDBClient; redis: Redis }
 */
export type ClientsOf<C> = {
  -readonly [N in keyof C]: C[N] extends ClientDefinition<infer T> ? T : never;
};

/** The options that the factory of `forRootAsync` may return, by client name. */
export type ClientOptionsOf<C> = {
  -readonly [
    N in keyof C as C[N] extends ClientDefinition<unknown, infer O> ? ([O] extends [never] ? never : N) : never
  ]?: C[N] extends ClientDefinition<unknown, infer O> ? O : never;
};
