import type { ClientDefinitions } from '../definition/client-definition.js';
import { findDefinitionProblem } from '../definition/find-definition-problem.js';
import {
  BOOLEAN,
  findOptionProblem,
  isFunction,
  isObject,
  isText,
  TIMEOUT,
  TOKENS,
  type Rule,
  type Rules,
} from '../definition/rules.js';
import { ClientsInvalidOptionsError } from '../errors/clients-invalid-options.error.js';

const CLASS: Rule = [isFunction, 'must be a function or class'];

const OPTIONS_RULES: Rules = {
  clients: [isPlainObject, 'must be a plain object of definitions by name'],
  isGlobal: BOOLEAN,
  imports: [(value) => Array.isArray(value) && value.every(isModule), 'must be an array of modules, none undefined'],
  shutdownTimeout: TIMEOUT,
};

const SOURCE_RULES: Rules = {
  useFactory: CLASS,
  useClass: CLASS,
  useExisting: [isToken, 'must be the token of a provider'],
};

const ASYNC_OPTIONS_RULES: Rules = {
  ...OPTIONS_RULES,
  inject: TOKENS,
  ...SOURCE_RULES,
};

/** Checks the options of `forRoot`, and each client's definition. Never repeats a value, which may be a secret. */
export function validateOptions(options: object): void {
  validate('ClientsModule.forRoot()', options, OPTIONS_RULES, false);
}

/** Checks the options of `forRootAsync`, and what is known so far of each client's definition. */
export function validateAsyncOptions(options: object): void {
  const where = 'ClientsModule.forRootAsync()';
  validate(where, options, ASYNC_OPTIONS_RULES, true);
  const sources = Object.keys(SOURCE_RULES);
  if (sources.filter((key) => Reflect.get(options, key) !== undefined).length !== 1) {
    throw new ClientsInvalidOptionsError(where, `give exactly one of ${sources.join(', ')}`);
  }
}

function validate(where: string, options: object, rules: Rules, fromFactory: boolean): void {
  if (!isObject(options)) throw new ClientsInvalidOptionsError(where, 'it takes an object: { clients: { ... } }');
  const problem = findOptionProblem(options, rules, 'clients');
  if (problem) throw new ClientsInvalidOptionsError(where, problem);
  for (const [name, definition] of Object.entries(options['clients'] as object)) {
    validateDefinition(where, name, definition, fromFactory);
  }
}

function validateDefinition(where: string, name: string, definition: unknown, fromFactory: boolean): void {
  if (name.trim() === '') throw new ClientsInvalidOptionsError(where, 'a client has an empty name; give it one');
  const found = findDefinitionProblem(definition, fromFactory);
  if (!found) return;
  const subject = `${where}, client "${name}"${found.part === 'lifecycle' ? ', lifecycle' : ''}`;
  throw new ClientsInvalidOptionsError(subject, found.problem);
}

/** False for `{ __proto__: definition }` too, which declares no client. */
function isPlainObject(value: unknown): value is ClientDefinitions {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

/** A class, a dynamic module, a promise of one, or `forwardRef`; Nest fails on anything else without saying where. */
function isModule(value: unknown): boolean {
  if (isFunction(value)) return true;
  return isObject(value) && ['module', 'forwardRef', 'then'].some((key) => isFunction(Reflect.get(value, key)));
}

function isToken(value: unknown): boolean {
  return isText(value) || typeof value === 'symbol' || isFunction(value);
}
