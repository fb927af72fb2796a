import { FUNCTION, isObject, STRING, TOKENS, type Rule } from './rules.js';

const RULES = Object.entries<Rule>({
  kind: STRING,
  inject: TOKENS,
  create: FUNCTION,
  connect: FUNCTION,
  check: FUNCTION,
  close: FUNCTION,
  destroy: FUNCTION,
  onError: FUNCTION,
  onConnection: FUNCTION,
});

/** Says what is wrong with the driver passed to `defineClient`, and how to mend it. */
export function findDriverProblem(driver: unknown): string | undefined {
  if (!isObject(driver)) return 'defineClient() takes a driver object: { create: () => ... }';
  // Goes through the rules rather than the driver's own keys, because a driver may be an instance of a class.
  for (const [key, [isValid, problem]] of RULES) {
    if (driver[key] !== undefined && !isValid(driver[key])) return `"${key}" of its driver ${problem}`;
  }
  return driver['create'] === undefined ? 'its driver has no "create" function' : undefined;
}
