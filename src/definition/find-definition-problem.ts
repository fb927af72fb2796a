import { describeOtherCopy } from '../errors/copies.js';
import { ClientDefinition, findOtherVersion } from './client-definition.js';
import type { ClientLifecycle } from './client-lifecycle.js';
import { BOOLEAN, findOptionProblem, isObject, oneOf, TIMEOUT, type Rule } from './rules.js';

const LIFECYCLE_RULES = {
  eager: BOOLEAN,
  connect: oneOf('build', 'bootstrap', 'use'),
  waitUntilReady: BOOLEAN,
  createTimeout: TIMEOUT,
  closeTimeout: TIMEOUT,
  owned: BOOLEAN,
  scope: oneOf('app', 'process'),
} satisfies Record<keyof ClientLifecycle, Rule>;

/** What is wrong with a definition, and in which part of it. */
export interface DefinitionProblem {
  readonly part: 'definition' | 'lifecycle';
  readonly problem: string;
}

/**
 * Says what is wrong with the part of a definition that is known so far. Never repeats a value.
 *
 * @param fromFactory whether the factory of `forRootAsync` may add options later
 */
export function findDefinitionProblem(definition: unknown, fromFactory: boolean): DefinitionProblem | undefined {
  const otherVersion = findOtherVersion(definition);
  if (otherVersion !== undefined) return wrong(describeOtherCopy('its definition', otherVersion));
  if (!(definition instanceof ClientDefinition)) {
    const remedy = 'declare it with defineClient(), redisClient(), dynamoDBClient() or the like';
    return wrong(`it is not a client definition; ${remedy}`);
  }
  const { blueprint, declaredLifecycle } = definition;
  if (declaredLifecycle !== undefined) {
    if (!isObject(declaredLifecycle)) return wrong('its lifecycle, the last argument, must be an object');
    const inLifecycle = findOptionProblem(declaredLifecycle, LIFECYCLE_RULES);
    if (inLifecycle) return { part: 'lifecycle', problem: inLifecycle };
  }
  const problem = blueprint.findProblem({ fromFactory });
  return problem === undefined ? undefined : wrong(problem);
}

function wrong(problem: string): DefinitionProblem {
  return { part: 'definition', problem };
}
