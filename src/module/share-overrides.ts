import type { ModulesContainer } from '@nestjs/core';
import { getClientName } from '../clients.tokens.js';

type Factory = (...dependencies: unknown[]) => unknown;

/** What the factories of this module are known by, and those of another copy of the package, which a test has not overridden. */
const OWN = Symbol.for('nestjs-clients:factory');

/** Marks a factory as one of this module. */
export function markOwn<F extends object>(factory: F): F {
  return Object.assign(factory, { [OWN]: true });
}

/** What Nest calls a factory on: what it keeps of the provider. */
interface Self {
  readonly host?: { readonly container?: { getModules?(): ModulesContainer } };
}

/**
 * Gives every consumer the same object when a test has put a factory of its own in the place of a client:
 * `overrideProvider(token).useFactory()` keeps the scope of what it overrides, which is TRANSIENT, and Nest would call it
 * once a consumer.
 *
 * A factory that injects the modules would come too late: the first consumers have their objects by then. So this one
 * injects nothing, and reads them from the provider that Nest calls it on. Where Nest does not, the fakes stay apart.
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
