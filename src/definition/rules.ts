import { LONGEST_TIMEOUT } from './client-lifecycle.js';
import type { Dependency } from './dependency.js';

/** Options whose values are not known to be right. */
export type Options = Readonly<Record<string, unknown>>;

/** What an option must be: as a check, and in words for the error. */
export type Rule = readonly [isValid: (value: unknown) => boolean, problem: string];

/** Rules by the name of the option. */
export type Rules = Readonly<Record<string, Rule>>;

/**
 * Says which option breaks its rule, and how. Never repeats its value, which may be a secret.
 *
 * @param required the option that must be set; each other one may be `undefined`
 */
export function findBrokenRule(options: object, rules: Rules, required?: string): string | undefined {
  // Goes through the rules rather than the options' own keys, because a driver may be an instance of a class. Not with
  // Object.entries(), whose arrays would be half of what declaring thousands of clients costs.
  for (const key in rules) {
    const value: unknown = Reflect.get(options, key);
    if (value === undefined && key !== required) continue;
    const [isValid, problem] = rules[key] as Rule;
    if (!isValid(value)) return `"${key}" ${problem}`;
  }
  return undefined;
}

/** As `findBrokenRule`, but also reports an option that has no rule. */
export function findOptionProblem(options: object, rules: Rules, required?: string): string | undefined {
  const unknown = Object.keys(options).find((key) => !Object.hasOwn(rules, key));
  if (unknown === undefined) return findBrokenRule(options, rules, required);
  const names = Object.keys(rules);
  return `"${unknown}" is not an option; the option${names.length > 1 ? 's are' : ' is'} ${names.join(', ')}`;
}

/** The options that are set. */
export function withoutUndefined(options: object): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

// ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────

export const BOOLEAN: Rule = [(value) => typeof value === 'boolean', 'must be true or false'];
export const STRING: Rule = [(value) => typeof value === 'string', 'must be a string'];
export const TEXT: Rule = [isText, 'must be a string, and not an empty one'];
export const OBJECT: Rule = [isObject, 'must be an object'];
export const FUNCTION: Rule = [isFunction, 'must be a function'];
export const MILLISECONDS: Rule = timeoutFrom(0);
export const TIMEOUT: Rule = timeoutFrom(1);
export const PORT: Rule = wholeNumber(1, 65_535);
/** What `inject` must be. */
export const TOKENS: Rule = [
  isTokens,
  'must be an array of tokens, { token, optional } or forwardRef(() => Token), none undefined',
];

/** Milliseconds from `least` to the most that a timer of Node can wait; Node ends a longer one after 1 ms. */
export function timeoutFrom(least: number): Rule {
  return [
    (value) => isNumber(value, least, LONGEST_TIMEOUT),
    `must be a number of milliseconds from ${least} to ${LONGEST_TIMEOUT}`,
  ];
}

/** The error says how to convert a variable of the environment, which is a string. */
export function wholeNumber(least: number, most?: number): Rule {
  return [
    (value) => Number.isInteger(value) && isNumber(value, least, most),
    `must be a whole number from ${least}${most ? ` to ${most}` : ''}; convert an environment variable with Number()`,
  ];
}

export function oneOf(...allowed: string[]): Rule {
  return [(value) => allowed.includes(value as string), `must be ${allowed.map((word) => `'${word}'`).join(' or ')}`];
}

// ── checks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export function isObject(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

/** A string that is not empty. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

export const isPort = PORT[0];

/** A number within limits, which NaN never is. */
export function isNumber(value: unknown, least: number, most = Infinity): boolean {
  return typeof value === 'number' && value >= least && value <= most;
}

/** An array that is not empty. */
export function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0;
}

/** An `inject` array without `undefined`, which a token is while a circular import has not assigned it yet. */
export function isTokens(value: unknown): value is Dependency[] {
  return Array.isArray(value) && Array.from(value).every(isDependency);
}

/** The token inside a `forwardRef` is checked when the application boots. Until then it may be undefined. */
function isDependency(value: unknown): boolean {
  if (typeof value !== 'object') return value !== undefined;
  if (value === null) return false;
  if ('forwardRef' in value) return isFunction(value.forwardRef);
  return 'token' in value && isDependency(value.token);
}
