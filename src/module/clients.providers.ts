import { Scope, type FactoryProvider, type Provider, type Type } from '@nestjs/common';
import { INQUIRER, ModuleRef, ModulesContainer } from '@nestjs/core';
import { getClassName, resolveTokens } from './resolve-tokens.js';
import { createOptionsLoader } from './options-factory.js';
import { getClientToken } from '../clients.tokens.js';
import type { ClientsModuleAsyncOptions } from './clients.module-options.js';
import type { ClientDefinitions } from '../definition/client-definition.js';
import { ClientsInvalidOptionsError } from '../errors/clients-invalid-options.error.js';
import { ClientRegistry, REGISTRY } from '../registry/client-registry.js';
import type { ClientSource } from '../registry/registration.js';
import { findConsumers, findClientsBehind } from './injection-graph.js';
import { markOwn, shareOverrides } from './share-overrides.js';
import { refuseMissingTokens } from './refuse-missing-tokens.js';

/** What one `forRoot` or `forRootAsync` call was given, and the clients as they were then. */
export interface Declaration {
  readonly clients: ClientDefinitions;
  readonly options: ClientsModuleAsyncOptions;
}

const OVERRIDES = Symbol('nestjs-clients:overrides');

export const DECLARATION = Symbol('nestjs-clients:declaration');

/** Says what to do when `ClientsModule` is imported as a class, or listed in `providers`. */
export function refuseMissingDeclaration(): never {
  throw new ClientsInvalidOptionsError(
    'ClientsModule',
    'it is imported without forRoot(), or listed in "providers"; import ClientsModule.forRoot({ clients }) once, in the ' +
      'root module: other modules then need not import it. Where isGlobal is false, they import what forRoot() returned',
  );
}

/** Stands where `forRoot` puts the declaration. It needs nothing, so that it fails before whatever else Nest misses. */
export const missingDeclarationProvider: Provider = { provide: DECLARATION, useFactory: refuseMissingDeclaration };

/**
 * The application's one registry. It knows every client before anything is instantiated, so that providers can ask for
 * them from the start: the declarations are values, which Nest has when it has scanned the modules.
 */
export const registryProviders: Provider[] = [
  {
    provide: REGISTRY,
    inject: [ModulesContainer],
    useFactory: (modules: ModulesContainer) => declareClients(new ClientRegistry(REGISTRY), modules),
  },
  { provide: OVERRIDES, useFactory: shareOverrides },
  // A test that overrides the one that is injected must not break the module.
  { provide: ClientRegistry, useExisting: REGISTRY },
];

/** Tells the registry of the clients of every module; or of one, if it does not know them yet. */
export function declareClients(registry: ClientRegistry, modules: ModulesContainer, one?: Declaration): ClientRegistry {
  if (one && registry.knows(one.clients)) return registry;
  for (const { providers } of modules.values()) {
    const declaration = providers.get(DECLARATION)?.instance as Declaration | undefined;
    const moduleRef = providers.get(ModuleRef)?.instance as ModuleRef | undefined;
    if (!declaration || !moduleRef || (one && one !== declaration)) continue;
    const { clients, options } = declaration;
    refuseMissingTokens(clients, options);
    const { shutdownTimeout, useExisting, inject: injected = [] } = options;
    const factoryInjects = useExisting === undefined ? injected : [useExisting];
    const resolve: ClientSource['resolve'] = (tokens, consumer) => resolveTokens(moduleRef, tokens, consumer);
    const source: ClientSource = {
      resolve,
      resolveOptions: createOptionsLoader(clients, options, resolve, moduleRef),
      findDependencies: ({ blueprint: { inject, configurable } }) =>
        findClientsBehind(modules, configurable ? [...inject, ...factoryInjects] : inject),
      findConsumers: (name) => findConsumers(modules, name),
    };
    registry.declare(clients, source, shutdownTimeout);
  }
  registry.verify(one && Object.keys(one.clients));
  return registry;
}

/** A module with clients, which has the registry when that knows them. */
interface Host {
  readonly registry: ClientRegistry;
}

/**
 * The providers by which Nest injects the clients.
 *
 * Nest builds a default-scoped provider at bootstrap even if nobody injects it, but a transient one only when it is
 * injected, once per injection. With the registry behind it every injection gets the same object, and a client that
 * nobody injects is never built. The classes that inject it stay singletons. INQUIRER tells which class asks.
 */
export function createClientProviders(clients: ClientDefinitions, host: Type<Host>): FactoryProvider[] {
  const [toEager, toLazy] = [[host], [host, INQUIRER]];
  return Object.entries(clients).map(([name, { lifecycle }]) => ({
    provide: getClientToken(name),
    scope: lifecycle.eager ? Scope.DEFAULT : Scope.TRANSIENT,
    inject: lifecycle.eager ? toEager : toLazy,
    useFactory: markOwn(({ registry }: Host, inquirer?: unknown) => registry.inject(name, getClassName(inquirer))),
  }));
}

/**
 * What Nest's own core module provides, so that for each client Nest finds the token here: it looks up whatever a
 * transient provider injects, at bootstrap, and would search every imported and global module for it.
 */
export const inquirerProvider: Provider = { provide: INQUIRER, scope: Scope.TRANSIENT, useFactory: () => undefined };
