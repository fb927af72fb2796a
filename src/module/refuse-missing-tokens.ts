import { resolveDependency, type Dependency } from '../definition/dependency.js';
import type { ClientDefinitions } from '../definition/client-definition.js';
import { ClientsInvalidOptionsError } from '../errors/clients-invalid-options.error.js';
import type { ClientsModuleAsyncOptions } from './clients.module-options.js';

/**
 * Throws if a `forwardRef` returns `undefined`. This cannot be checked when `forRoot` is called, because a circular import may
 * not have assigned the class yet. When the application boots, every file has been evaluated.
 */
export function refuseMissingTokens(clients: ClientDefinitions, options: ClientsModuleAsyncOptions): void {
  for (const [name, { blueprint }] of Object.entries(clients)) {
    if (blueprint.inject.length > 0) refuse(`Client "${name}"`, blueprint.inject);
  }
  refuse('ClientsModule.forRootAsync()', options.inject ?? []);
}

function refuse(where: string, dependencies: readonly Dependency[]): void {
  for (const [index, dependency] of dependencies.entries()) {
    if (resolveDependency(dependency).token !== undefined) continue;
    const problem = `"inject" has undefined at index ${index}, behind forwardRef(); what it returns must be a class or token`;
    throw new ClientsInvalidOptionsError(where, problem);
  }
}
