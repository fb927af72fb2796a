import { ClientDefinition } from './client-definition.js';
import type { ClientDriver } from './client-driver.js';
import type { Dependency, InjectedValues } from './dependency.js';
import type { KnownOptions, OptionsOrPromise } from './known-options.js';
import type { ClientLifecycle } from './client-lifecycle.js';
import { ClientsInvalidOptionsError } from '../errors/clients-invalid-options.error.js';
import { findBrokenRule, FUNCTION, isObject, isTokens, TOKENS, withoutUndefined, type Rules } from './rules.js';

/**
 * A factory of one client's options, called only when that client is first built.
 *
 * @example
 * redisClient({
 *   inject: [ConfigService],
 *   useFactory: (config) => ({ url: config.getOrThrow('REDIS_URL') }),
 * });
 */
export interface ClientOptionsFactory<
  O,
  I extends readonly Dependency[] = readonly Dependency[],
  R extends OptionsOrPromise<O> = OptionsOrPromise<O>,
> {
  /** What `useFactory` needs from Nest, in order, as in a driver's `inject`. Default none. */
  inject?: readonly [...I] | readonly Dependency[];
  /**
   * Returns the client's options. It is called once, when the client is built. An unknown option name is a compile error.
   * Parameters are typed by the classes in `inject`; annotate those that a string or symbol stands for.
   */
  useFactory(...dependencies: InjectedValues<I>): KnownOptions<R, O>;
}

/** How a client of a ready-made kind is managed. */
export interface KindLifecycle<T> extends ClientLifecycle {
  /** One cheap round trip that rejects when the client cannot be used. It replaces the built-in check of that kind. */
  check?(client: T): unknown;
}

/** How to build a client whose options stand in its declaration or come from a factory. */
export interface ConfigurableDriver<T, O extends object> extends Omit<ClientDriver<T>, 'create'> {
  readonly kind: string;
  /**
   * Says what is wrong with complete options, and how to mend it. Never repeats a value.
   *
   * @param origin where they come from, as the beginning of a clause: "the factory returned"
   */
  findProblem(options: Readonly<O>, origin?: string): string | undefined;
  /** A copy of the options whose functions pass the secrets that they return to `show`, for redaction. */
  showSecrets?(options: O, show: (secrets: unknown) => void): O;
  /** As in a driver, but called with the complete options and the client's name first. */
  create(options: O, name: string, ...dependencies: never[]): T | Promise<T>;
}

/** Any `ClientOptionsFactory`. What it returns is checked when the client is built. */
interface OptionsSource {
  inject?: readonly Dependency[];
  useFactory(...dependencies: never[]): unknown;
}

/** Declares a client with options from the call or from `useFactory`. Those from `forRootAsync` override them. */
export function configurableClient<T, O extends object>(
  driver: ConfigurableDriver<T, O>,
  source: O | OptionsSource | undefined,
  managed?: KindLifecycle<T>,
): ClientDefinition<T, O> {
  const { kind, inject: required = [] } = driver;
  const given = (isObject(managed) ? managed : {}) as ClientLifecycle & { readonly check?: (client: T) => unknown };
  const { check, ...lifecycle } = given;
  const factory = isFactory(source) ? source : undefined;
  const declared = factory ? undefined : (source as O | undefined);
  const injected = isTokens(factory?.inject) ? factory.inject : [];

  return new ClientDefinition<T, O>(
    {
      kind,
      inject: [...required, ...injected],
      driver: { ...driver, ...(check && { check }) },
      configurable: true,
      findProblem({ fromFactory }) {
        if (check !== undefined && typeof check !== 'function') return '"check" must be a function';
        if (factory) return findFactoryProblem(factory);
        if (declared !== undefined && !isObject(declared)) return 'its options are not an object';
        return fromFactory ? undefined : driver.findProblem((declared ?? {}) as O);
      },
      async create({ name, dependencies, factoryOptions, redactor }) {
        const invalid = (problem: string) => new ClientsInvalidOptionsError(`Client "${name}"`, redactor.text(problem));
        const own = factory ? await factory.useFactory(...(dependencies.slice(required.length) as never[])) : declared;
        if ((factory || own !== undefined) && !isObject(own))
          throw invalid('its useFactory did not return an object of options');
        if (factoryOptions !== undefined && !isObject(factoryOptions))
          throw invalid('its options from the factory of forRootAsync() are not an object');
        const options = { ...(own as O | undefined), ...factoryOptions } as O;
        redactor.keep(options);
        const origin = factory || factoryOptions !== undefined ? 'the factory returned' : undefined;
        const problem = driver.findProblem(options, origin);
        if (problem) throw invalid(problem);
        const watched = driver.showSecrets?.(options, (secrets) => redactor.keep(secrets)) ?? options;
        return driver.create(watched, name, ...(dependencies.slice(0, required.length) as never[]));
      },
    },
    isObject(managed) ? lifecycle : managed, // anything but an object is reported later, under the client's name
  );
}

function isFactory(source: unknown): source is OptionsSource {
  return isObject(source) && 'useFactory' in source;
}

const FACTORY_RULES: Rules = {
  inject: TOKENS,
  useFactory: FUNCTION,
};

function findFactoryProblem(factory: OptionsSource): string | undefined {
  const other = Object.keys(withoutUndefined(factory)).find((key) => !Object.hasOwn(FACTORY_RULES, key));
  if (other !== undefined) return `"${other}" stands beside "useFactory", which would hide it; return it from there`;
  return findBrokenRule(factory, FACTORY_RULES, 'useFactory');
}
