import type { ModulesContainer } from '@nestjs/core';
import { getClientName } from '../clients.tokens.js';

type Factory = (...dependencies: unknown[]) => unknown;

/** Marks the factories of this package, in every copy of it. A client's factory without the mark comes from a test. */
const OWN = Symbol.for('nestjs-clients:factory');

/** Marks a factory as one of this module. */
export function markOwn<F extends object>(factory: F): F {
  return Object.assign(factory, { [OWN]: true });
}

/** Nest's record of a provider, which is `this` when Nest calls the provider's factory. */
interface Self {
  readonly host?: { readonly container?: { getModules?(): ModulesContainer } };
}

/**
 * Shares one object among all consumers when a test overrides a client with a factory. `overrideProvider(token).useFactory()`
 * keeps the scope of what it overrides, which is TRANSIENT, so Nest would call the factory once for each consumer.
 *
 * It must run before the first consumer gets its object, so it cannot wait for the modules to be injected. It reads them
 * from `this` instead. If Nest passes no such `this`, each consumer gets a fake of its own.
 */
export const shareOverrides = function shareOverrides(this: Self | undefined): void {
  const modules = this?.host?.container?.getModules?.() ?? new Map<string, never>();
  for (const { providers } of modules.values()) {
    for (const [token, wrapper] of providers) {
      const { inject, metatype } = wrapper;
      if (!inject || !metatype || getClientName(token) === undefined || OWN in metatype) continue;
      if (wrapper.isTransient) wrapper.metatype = callOnce(metatype as Factory);
    }
  }
};

/** A call that fails is not remembered: the next injection tries again. */
function callOnce(factory: Factory): Factory {
  let result: Promise<unknown> | undefined;
  return (...dependencies) => {
    result ??= Promise.resolve(factory(...dependencies));
    result.catch(() => (result = undefined));
    return result;
  };
}
