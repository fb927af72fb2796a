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

/** The arguments of one `forRoot` or `forRootAsync` call, with a copy of its clients. */
export interface Declaration {
  readonly clients: ClientDefinitions;
  readonly options: ClientsModuleAsyncOptions;
}

const OVERRIDES = Symbol('nestjs-clients:overrides');

export const DECLARATION = Symbol('nestjs-clients:declaration');

/** Throws when `ClientsModule` is imported as a class or listed in `providers`, and says what to do instead. */
export function refuseMissingDeclaration(): never {
  throw new ClientsInvalidOptionsError(
    'ClientsModule',
    'it is imported without forRoot(), or listed in "providers"; import ClientsModule.forRoot({ clients }) once, in the ' +
      'root module: other modules then need not import it. Where isGlobal is false, they import what forRoot() returned',
  );
}

/** Takes the place of the declaration that `forRoot` provides. It injects nothing, so that its error comes first. */
export const missingDeclarationProvider: Provider = { provide: DECLARATION, useFactory: refuseMissingDeclaration };

/**
 * The application's one registry. It knows every client before any provider is instantiated, because the declarations are
 * value providers, which exist once Nest has scanned the modules. So providers can ask for clients from the start.
 */
export const registryProviders: Provider[] = [
  {
    provide: REGISTRY,
    inject: [ModulesContainer],
    useFactory: (modules: ModulesContainer) => declareClients(new ClientRegistry(REGISTRY), modules),
  },
  { provide: OVERRIDES, useFactory: shareOverrides },
  // A test may override ClientRegistry, so the module itself uses another token.
  { provide: ClientRegistry, useExisting: REGISTRY },
];

/** Declares the clients of every module in the registry; or those of one module, if they are not declared yet. */
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

/** A module with clients. Its registry is set once its clients are declared there. */
interface Host {
  readonly registry: ClientRegistry;
}

/**
 * The providers by which Nest injects the clients.
 *
 * Nest builds a default-scoped provider at bootstrap even if nobody injects it, but a transient one only when it is
 * injected, once per injection. With the registry behind it every injection gets the same object, and a client that
 * nobody injects is never built. The classes that inject it stay singletons. INQUIRER is the instance that asks.
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
 * Nest's core module provides INQUIRER too. It is repeated here because Nest looks up what each transient provider injects
 * at bootstrap, and would otherwise search every imported and global module for it, once for each client.
 */
export const inquirerProvider: Provider = { provide: INQUIRER, scope: Scope.TRANSIENT, useFactory: () => undefined };
