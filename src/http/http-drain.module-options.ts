import { findOptionProblem, isObject, TIMEOUT, type Rules } from '../definition/rules.js';
import { ClientsInvalidOptionsError } from '../errors/clients-invalid-options.error.js';

/** What `HttpDrainModule.forRoot()` takes. */
export interface HttpDrainOptions {
  /**
   * Milliseconds from the beginning of shutdown until connections that are still open are cut. Default 15,000. If several
   * calls set it, the longest wins.
   */
  timeout?: number;
}

/** The default of `timeout`, in milliseconds. */
export const DRAIN_TIMEOUT = 15_000;

export const DRAIN_OPTIONS = Symbol('nestjs-clients:http-drain-options');

const RULES: Rules = { timeout: TIMEOUT };

/** Refuses options that cannot work, before any application exists. */
export function validateDrainOptions(options: unknown): void {
  const problem = isObject(options)
    ? findOptionProblem(options, RULES)
    : 'it takes an object: { timeout: 15_000 }, or nothing';
  if (problem) throw new ClientsInvalidOptionsError('HttpDrainModule.forRoot()', problem);
}
