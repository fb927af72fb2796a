import { LONGEST_TIMEOUT } from './client-lifecycle.js';
import type { Dependency } from './dependency.js';

/** What an option must be: as a check, and in words for the error. */
export type Rule = readonly [isValid: (value: unknown) => boolean, problem: string];

/** Rules by the name of the option. */
export type Rules = Readonly<Record<string, Rule>>;

/** Says which option breaks its rule, and how. Never repeats its value, which may be a secret. Ignores `undefined`. */
export function findBrokenRule(options: object, rules: Rules): string | undefined {
  for (const [key, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    if (rule && value !== undefined && !rule[0](value)) return `"${key}" ${rule[1]}`;
  }
  return undefined;
}

/** As `findBrokenRule`, but also reports an option that has no rule. */
export function findOptionProblem(options: object, rules: Rules): string | undefined {
  const unknown = Object.keys(options).find((key) => !Object.hasOwn(rules, key));
  if (unknown === undefined) return findBrokenRule(options, rules);
  return `"${unknown}" is not an option; the options are ${Object.keys(rules).join(', ')}`;
}

export const BOOLEAN: Rule = [isBoolean, 'must be true or false'];

export const TIMEOUT: Rule = [
  (value) => typeof value === 'number' && value >= 1 && value <= LONGEST_TIMEOUT,
  `must be a number of milliseconds from 1 to ${LONGEST_TIMEOUT}`,
];

export function oneOf(...allowed: string[]): Rule {
  return [(value) => allowed.includes(value as string), `must be ${allowed.map((word) => `'${word}'`).join(' or ')}`];
}

/** What `inject` must be. */
export const TOKENS: Rule = [
  isTokens,
  'must be an array of tokens, { token, optional } or forwardRef(() => Token), none undefined',
];

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

export function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean';
}

/** A string that is not empty. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
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
