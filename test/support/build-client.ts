import type { ClientDefinition } from '../../src/definition/client-definition.js';
import { Redactor } from '../../src/redaction/redactor.js';

/** Builds a declared client as the registry does, without a registry. */
export async function buildClient<T>(
  definition: ClientDefinition<T>,
  given: { name?: string; dependencies?: readonly unknown[]; factoryOptions?: unknown } = {},
): Promise<T> {
  const { name = 'client', dependencies = [], factoryOptions } = given;
  return definition.blueprint.create({
    name,
    dependencies,
    factoryOptions,
    redactor: new Redactor(),
    createPool: noPool,
  });
}

function noPool(): never {
  throw new Error('keyed clients need a registry');
}
