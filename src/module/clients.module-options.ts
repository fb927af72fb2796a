import type { InjectionToken, ModuleMetadata, Type } from '@nestjs/common';
import type { ClientDefinitions, ClientOptionsOf } from '../definition/client-definition.js';
import type { Dependency, InjectedValues } from '../definition/dependency.js';
import type { KnownOptions, OptionsOrPromise } from '../definition/known-options.js';

/** What `ClientsModule.forRoot()` takes. */
export interface ClientsModuleOptions<C extends ClientDefinitions = ClientDefinitions> {
  /** The clients by name. Names are unique in an application, across all `forRoot` calls. */
  clients: C;
  /** Whether every module can inject the clients, or only those that import this one. Default `true`. */
  isGlobal?: boolean;
  /** Modules that export what the definitions inject. Default none. */
  imports?: ModuleMetadata['imports'];
  /**
   * Milliseconds for closing all clients at shutdown; what is still open then is destroyed by force. Default 10,000. If
   * several `forRoot` calls set it, the longest wins.
   */
  shutdownTimeout?: number;
}

/** Returns client options by name, for `useClass` and `useExisting` of `ClientsModule.forRootAsync()`. */
export interface ClientsOptionsFactory<C extends ClientDefinitions = ClientDefinitions> {
  /** Called once, when the first client that takes options from it is built. */
  createClientsOptions(): ClientOptionsOf<C> | Promise<ClientOptionsOf<C>>;
}

/**
 * What `ClientsModule.forRootAsync()` takes: clients named statically, their options from exactly one of `useFactory`,
 * `useClass` and `useExisting`. Options from there override those in the definition.
 */
export interface ClientsModuleAsyncOptions<
  C extends ClientDefinitions = ClientDefinitions,
  R extends OptionsOrPromise<ClientOptionsOf<C>> = OptionsOrPromise<ClientOptionsOf<C>>,
  I extends readonly Dependency[] = readonly Dependency[],
> extends ClientsModuleOptions<C> {
  /** What `useFactory` needs from Nest, in order, as in a driver's `inject`. Default none. */
  inject?: readonly [...I] | readonly Dependency[];
  /**
   * Returns the options by client name. Called once, when the first client that takes options from it is built. An
   * unknown client name or option name is a compile error. Parameters are typed by the classes in `inject`;
   * annotate those that a string or symbol stands for.
   */
  useFactory?(...dependencies: InjectedValues<I>): KnownOptions<R, ClientOptionsOf<C>>;
  /** A class that Nest instantiates in this module, and whose `createClientsOptions` returns the options. */
  useClass?: Type<ClientsOptionsFactory<C>>;
  /** The token of a provider, exported by one of `imports` or global, whose `createClientsOptions` returns the options. */
  useExisting?: InjectionToken;
}
