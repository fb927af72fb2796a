import type { InjectionToken } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { getClientName, getClientToken } from '../clients.tokens.js';
import { resolveDependency, type Dependency } from '../definition/dependency.js';

type Module = NonNullable<ReturnType<ModulesContainer['get']>>;
/** Nest's record of a provider: its name, and the providers injected into it. */
type Wrapper = NonNullable<ReturnType<Module['providers']['get']>>;

/**
 * The names of the classes that inject an eager client. Nest passes no INQUIRER to a singleton, so they are read from the
 * injection graph.
 */
export function findConsumers(modules: ModulesContainer, client: string): string[] {
  const token = getClientToken(client);
  return [...modules.values()]
    .flatMap(({ providers, controllers, injectables, middlewares }) => [
      ...providers.values(),
      ...controllers.values(),
      ...injectables.values(),
      ...middlewares.values(),
    ])
    .filter(({ inject }) => !inject) // classes only: factories and aliases have an `inject` list
    .filter((wrapper) => injectedInto(wrapper).some((dependency) => dependency.token === token))
    .map(({ name }) => name as string);
}

/** The names of the clients among these tokens, and among what their providers inject at any depth. */
export function findClientsBehind(modules: ModulesContainer, tokens: readonly Dependency[]): string[] {
  const clients = new Set<string>();
  const rest = new Set<unknown>(tokens.map((dependency) => resolveDependency(dependency).token));
  for (const token of rest) {
    const client = getClientName(token);
    if (client !== undefined) clients.add(client);
    else {
      for (const { providers } of modules.values()) {
        const wrapper = providers.get(token as InjectionToken);
        for (const dependency of wrapper ? injectedInto(wrapper) : []) rest.add(dependency.token);
      }
    }
  }
  return [...clients];
}

function injectedInto(wrapper: Wrapper): Wrapper[] {
  const properties = wrapper.getPropertiesMetadata()?.map((property) => property.wrapper) ?? [];
  return [...(wrapper.getCtorMetadata() ?? []), ...properties].filter(Boolean);
}
