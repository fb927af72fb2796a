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
/** The longest delay that a timer of Node accepts, in milliseconds. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

export const DRAIN_OPTIONS = Symbol('nestjs-clients:http-drain-options');

/** Refuses options that cannot work, before any application exists. */
export function validateDrainOptions(options: unknown): void {
  const problem = findProblem(options);
  if (problem) throw new ClientsInvalidOptionsError('HttpDrainModule.forRoot()', problem);
}

function findProblem(options: unknown): string | undefined {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    return 'it takes an object: { timeout: 15_000 }, or nothing';
  }
  const unknown = Object.keys(options).find((key) => key !== 'timeout');
  if (unknown !== undefined) return `"${unknown}" is not an option; the option is timeout`;
  const { timeout } = options as HttpDrainOptions;
  const isValid = timeout === undefined || (typeof timeout === 'number' && timeout >= 1 && timeout <= LONGEST_TIMEOUT);
  return isValid ? undefined : `"timeout" must be a number of milliseconds from 1 to ${LONGEST_TIMEOUT}`;
}
