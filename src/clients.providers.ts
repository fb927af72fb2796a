import { Inject, Scope, type InjectionToken, type Provider, type Type } from '@nestjs/common';
import { INQUIRER, ModuleRef, type ModulesContainer } from '@nestjs/core';
import type { CreateSupply } from './clients.supply.js';
import { getClientToken } from './clients.tokens.js';
import type { ClientDefinitions } from './definition/client-definition.js';
import { ClientRegistry, type ClientSource } from './registry/client-registry.js';

/** Declares the clients in the application's registry before any of them can be asked for, and gives that registry. */
export function createDeclaration(
  token: symbol,
  clients: ClientDefinitions,
  shutdownTimeout: number,
  createSupply: CreateSupply,
): Provider {
  return {
    provide: token,
    inject: [ClientRegistry, ModuleRef],
    useFactory: (registry: ClientRegistry, moduleRef: ModuleRef) => {
      const resolve: ClientSource['resolve'] = (tokens, consumer) => resolveTokens(moduleRef, tokens, consumer);
      registry.declare(clients, { resolve, supply: createSupply(resolve, moduleRef) }, shutdownTimeout);
      return registry;
    },
  };
}

/**
 * The providers by which Nest injects the clients.
 *
 * Nest builds a default-scoped provider at bootstrap even if nobody injects it, but a transient one only when it is
 * injected, once per injection. With the registry behind it every injection gets the same object, and a client that
 * nobody injects is never built. The classes that inject it stay singletons. INQUIRER tells which class asks.
 */
export function createClientProviders(declaration: symbol, clients: ClientDefinitions): Provider[] {
  return Object.entries(clients).map(([name, { lifecycle }]): Provider => {
    const provide = getClientToken(name);
    if (lifecycle.eager) {
      return { provide, inject: [declaration], useFactory: (registry: ClientRegistry) => registry.inject(name) };
    }
    return {
      provide,
      scope: Scope.TRANSIENT,
      inject: [declaration, INQUIRER],
      useFactory: (registry: ClientRegistry, inquirer: unknown) => registry.inject(name, getClassName(inquirer)),
    };
  });
}

/** The classes that inject an eager client: as an ordinary singleton it is injected without INQUIRER. */
export function findConsumers(modules: ModulesContainer, name: string): string[] {
  const token = getClientToken(name);
  return [...modules.values()]
    .flatMap(({ providers, controllers, injectables }) => [
      ...providers.values(),
      ...controllers.values(),
      ...injectables.values(),
    ])
    .filter((wrapper) => {
      const properties = wrapper.getPropertiesMetadata()?.map((property) => property.wrapper) ?? [];
      return [...(wrapper.getCtorMetadata() ?? []), ...properties].some((dependency) => dependency?.token === token);
    })
    .map((wrapper) => wrapper.name);
}

/**
 * Gets values from Nest by having it construct a class that injects them. Unlike `ModuleRef.get` and `resolve`, that
 * waits for providers that are not instantiated yet, which during bootstrap is the rule, and sees what tests override.
 */
async function resolveTokens(
  moduleRef: ModuleRef,
  tokens: readonly InjectionToken[],
  consumer = '',
): Promise<readonly unknown[]> {
  if (tokens.length === 0) return [];
  class Dependencies {
    readonly values: readonly unknown[];
    constructor(...values: unknown[]) {
      this.values = values;
    }
  }
  Object.defineProperty(Dependencies, 'name', { value: consumer }); // what INQUIRER and Nest's own errors call it
  for (const [index, token] of tokens.entries()) Inject(token)(Dependencies, undefined, index);
  const { values } = await moduleRef.create(Dependencies);
  return values;
}

function getClassName(inquirer: unknown): string | undefined {
  return (inquirer as { constructor?: Type } | null | undefined)?.constructor?.name;
}
