import { isFunction, isObject, isTokens } from './rules.js';

const FUNCTIONS = ['create', 'connect', 'check', 'close', 'destroy', 'onError'];

/** Says what is wrong with what `defineClient` was given, and how to mend it. */
export function findDriverProblem(driver: unknown): string | undefined {
  if (!isObject(driver)) return 'defineClient() takes a driver object: { create: () => … }';
  const { kind, inject, create } = driver;
  if (kind !== undefined && typeof kind !== 'string') return '"kind" of its driver must be a string';
  if (inject !== undefined && !isTokens(inject))
    return '"inject" of its driver must be an array of tokens, none undefined';
  if (!isFunction(create)) return 'its driver has no "create" function';
  const wrong = FUNCTIONS.find((key) => driver[key] !== undefined && !isFunction(driver[key]));
  return wrong && `"${wrong}" of its driver must be a function`;
}
