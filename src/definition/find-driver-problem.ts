import { findBrokenRule, FUNCTION, isObject, STRING, TOKENS, type Rules } from './rules.js';

const RULES: Rules = {
  kind: STRING,
  inject: TOKENS,
  create: FUNCTION,
  connect: FUNCTION,
  check: FUNCTION,
  close: FUNCTION,
  destroy: FUNCTION,
  onError: FUNCTION,
  onConnection: FUNCTION,
};

/** Says what is wrong with the driver passed to `defineClient`, and how to mend it. */
export function findDriverProblem(driver: unknown): string | undefined {
  if (!isObject(driver)) return 'defineClient() takes a driver object: { create: () => ... }';
  const problem = findBrokenRule(driver, RULES, 'create');
  return problem && `in its driver, ${problem}`;
}
