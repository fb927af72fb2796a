import { Inject, Optional, Scope, type InjectionToken, type Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { resolveDependency, type Dependency } from '../definition/dependency.js';

/**
 * Gets values from Nest by having it construct a class that injects them. Unlike `ModuleRef.get` and `resolve`, this waits
 * for providers that are not instantiated yet, as many are during bootstrap, and respects the overrides of tests.
 */
export async function resolveTokens(
  moduleRef: ModuleRef,
  tokens: readonly Dependency[],
  consumer = '',
): Promise<readonly unknown[]> {
  if (tokens.length === 0) return [];
  class Named extends Dependencies {}
  Object.defineProperty(Named, 'name', { value: consumer }); // the name that Nest's errors show
  for (const [index, dependency] of tokens.entries()) {
    const { token, isOptional } = resolveDependency(dependency);
    Inject(token)(Named, undefined, index);
    if (isOptional) Optional()(Named, undefined, index);
  }
  const { values } = await moduleRef.create(Named);
  return Promise.all(
    values.map((value, index) => resolveTransient(moduleRef, resolveDependency(tokens[index]!).token, value)),
  );
}

/** Before 11.1.18 Nest injects `null` for a transient provider that nothing else injects. */
async function resolveTransient(
  moduleRef: ModuleRef,
  token: InjectionToken | undefined,
  value: unknown,
): Promise<unknown> {
  if (value !== null || token === undefined || moduleRef.introspect(token as Type).scope !== Scope.TRANSIENT)
    return value;
  return moduleRef.resolve(token as Type, undefined, { strict: false });
}

/** The class that Nest constructs, with the values as its constructor parameters. */
class Dependencies {
  readonly values: readonly unknown[];

  constructor(...values: unknown[]) {
    this.values = values;
  }
}

/** The name of INQUIRER's class. `undefined` if a client asks, or if there is no INQUIRER. */
export function getClassName(inquirer: unknown): string | undefined {
  if (inquirer instanceof Dependencies) return undefined;
  return (inquirer as { constructor?: Type } | null | undefined)?.constructor?.name;
}
