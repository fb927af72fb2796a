import { ClientDefinition, findOtherVersion, type ClientDefinitions } from '../definition/client-definition.js';
import { LONGEST_TIMEOUT, type ClientLifecycle } from '../definition/client-lifecycle.js';
import { ClientsInvalidOptionsError } from '../errors/clients-invalid-options.error.js';
import { describeOtherCopy } from '../errors/copies.js';
import {
  findBrokenRule,
  isBoolean,
  isFunction,
  isObject,
  isText,
  TOKENS,
  type Rule,
  type Rules,
} from '../definition/rules.js';

const BOOLEAN: Rule = [isBoolean, 'must be true or false'];
const CLASS: Rule = [isFunction, 'must be a function or class'];
const TIMEOUT: Rule = [isTimeout, `must be a number of milliseconds from 1 to ${LONGEST_TIMEOUT}`];

const LIFECYCLE_RULES = {
  eager: BOOLEAN,
  connect: oneOf('build', 'bootstrap', 'use'),
  waitUntilReady: BOOLEAN,
  createTimeout: TIMEOUT,
  closeTimeout: TIMEOUT,
  owned: BOOLEAN,
  scope: oneOf('app', 'process'),
} satisfies Record<keyof ClientLifecycle, Rule>;

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

/** Checks what `forRoot` was given, and each client's definition. Never repeats a value, which may be a secret. */
export function validateOptions(options: object): void {
  validate('ClientsModule.forRoot()', options, OPTIONS_RULES, false);
}

/** Checks what `forRootAsync` was given, and each client's definition as far as it is complete. */
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
  obey(where, { ...options, clients: options['clients'] ?? null }, rules); // the one that must be there
  for (const [name, definition] of Object.entries(options['clients'] as object)) {
    validateDefinition(where, name, definition, fromFactory);
  }
}

function validateDefinition(where: string, name: string, definition: unknown, fromFactory: boolean): void {
  if (name.trim() === '') throw new ClientsInvalidOptionsError(where, 'a client has an empty name; give it one');
  const subject = `${where}, client "${name}"`;
  const otherVersion = findOtherVersion(definition);
  if (otherVersion !== undefined) {
    throw new ClientsInvalidOptionsError(subject, describeOtherCopy('its definition', otherVersion));
  }
  if (!(definition instanceof ClientDefinition)) {
    const remedy = 'declare it with defineClient(), redisClient(), dynamoDBClient() or the like';
    throw new ClientsInvalidOptionsError(subject, `it is not a client definition; ${remedy}`);
  }
  const { blueprint, declaredLifecycle = {} } = definition;
  if (!isObject(declaredLifecycle)) {
    throw new ClientsInvalidOptionsError(subject, 'its lifecycle, the last argument, must be an object');
  }
  obey(`${subject}, lifecycle`, declaredLifecycle, LIFECYCLE_RULES);
  const problem = blueprint.findProblem({ fromFactory });
  if (problem) throw new ClientsInvalidOptionsError(subject, problem);
}

/** Refuses what no rule is about, and what breaks its rule. */
function obey(where: string, options: object, rules: Rules): void {
  const unknown = Object.keys(options).find((key) => !Object.hasOwn(rules, key));
  const problem =
    unknown === undefined
      ? findBrokenRule(options, rules)
      : `"${unknown}" is not an option; the options are ${Object.keys(rules).join(', ')}`;
  if (problem) throw new ClientsInvalidOptionsError(where, problem);
}

function oneOf(...allowed: string[]): Rule {
  return [(value) => allowed.includes(value as string), `must be ${allowed.map((word) => `'${word}'`).join(' or ')}`];
}

/** Also refuses `{ __proto__: definition }`, which declares nothing. */
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

function isTimeout(value: unknown): boolean {
  return typeof value === 'number' && value >= 1 && value <= LONGEST_TIMEOUT;
}
