import { ClientsInvalidOptionsError } from '../errors/clients-invalid-options.error.js';
import { ClientDefinition, type ClientDefinitions } from './client-definition.js';
import { DEFAULT_LIFECYCLE } from './client-lifecycle.js';
import { isTokens } from './define-client.js';

const LONGEST_TIMEOUT = 2 ** 31 - 1; // what setTimeout can wait
const TIMEOUT = `a number of milliseconds from 1 to ${LONGEST_TIMEOUT}`;

/** What a lifecycle option must be, in words and in code. */
const LIFECYCLE_RULES = {
  eager: ['true or false', isBoolean],
  connect: [`'bootstrap' or 'use'`, (value) => value === 'bootstrap' || value === 'use'],
  waitUntilReady: ['true or false', isBoolean],
  createTimeout: [TIMEOUT, isTimeout],
  closeTimeout: [TIMEOUT, isTimeout],
  owned: ['true or false', isBoolean],
  scope: [`'app' or 'process'`, (value) => value === 'app' || value === 'process'],
} satisfies Record<keyof typeof DEFAULT_LIFECYCLE, [string, (value: unknown) => boolean]>;

const OPTIONS = ['clients', 'isGlobal', 'imports', 'shutdownTimeout'];
const SOURCES = ['useFactory', 'useClass', 'useExisting'] as const;

/** Checks what `forRoot` was given, and each client's definition. Never repeats a value, which may be a secret. */
export function validateOptions(options: unknown): void {
  validate('ClientsModule.forRoot()', options, OPTIONS, false);
}

/** Checks what `forRootAsync` was given, and each client's definition as far as it is complete. */
export function validateAsyncOptions(options: unknown): void {
  const where = 'ClientsModule.forRootAsync()';
  const known = [...OPTIONS, 'inject', ...SOURCES];
  const { inject, useFactory, useClass, useExisting } = validate(where, options, known, true);
  const given = [useFactory, useClass, useExisting].filter((source) => source !== undefined);
  if (given.length !== 1) throw new ClientsInvalidOptionsError(where, `give exactly one of ${SOURCES.join(', ')}`);
  for (const [key, source] of Object.entries({ useFactory, useClass })) {
    if (source !== undefined && typeof source !== 'function') {
      throw new ClientsInvalidOptionsError(where, `"${key}" must be a function or class`);
    }
  }
  if (useExisting !== undefined && !isToken(useExisting)) {
    throw new ClientsInvalidOptionsError(where, '"useExisting" must be the token of a provider');
  }
  if (inject !== undefined && !isTokens(inject)) {
    throw new ClientsInvalidOptionsError(where, '"inject" must be an array of tokens, none undefined');
  }
}

function validate(
  where: string,
  options: unknown,
  known: readonly string[],
  fromFactory: boolean,
): Record<string, unknown> {
  if (!isObject(options)) throw new ClientsInvalidOptionsError(where, 'it takes an object: { clients: { … } }');
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw invalidKey(where, key, known);
  }
  const { clients, isGlobal, imports, shutdownTimeout, ...rest } = options as Record<string, unknown>;
  if (!isPlainObject(clients)) {
    throw new ClientsInvalidOptionsError(where, '"clients" must be a plain object of definitions by name');
  }
  if (isGlobal !== undefined && !isBoolean(isGlobal)) {
    throw new ClientsInvalidOptionsError(where, '"isGlobal" must be true or false');
  }
  if (imports !== undefined && !(Array.isArray(imports) && imports.every(isModule))) {
    throw new ClientsInvalidOptionsError(where, '"imports" must be an array of modules, none undefined');
  }
  if (shutdownTimeout !== undefined && !isTimeout(shutdownTimeout)) {
    throw new ClientsInvalidOptionsError(where, `"shutdownTimeout" must be ${TIMEOUT}`);
  }
  for (const [name, definition] of Object.entries(clients)) validateDefinition(where, name, definition, fromFactory);
  return rest;
}

function validateDefinition(where: string, name: string, definition: unknown, fromFactory: boolean): void {
  if (name.trim() === '') throw new ClientsInvalidOptionsError(where, 'a client has an empty name; give it one');
  const subject = `${where}, client "${name}"`;
  if (!(definition instanceof ClientDefinition)) {
    const remedy = 'declare it with defineClient(), redisClient(), dynamoDBClient() or the like';
    throw new ClientsInvalidOptionsError(subject, `it is not a client definition; ${remedy}`);
  }
  validateLifecycle(subject, definition.declaredLifecycle);
  const problem = definition.blueprint.findProblem({ fromFactory });
  if (problem) throw new ClientsInvalidOptionsError(subject, problem);
}

function validateLifecycle(subject: string, lifecycle: unknown): void {
  if (!isObject(lifecycle)) {
    throw new ClientsInvalidOptionsError(subject, 'its lifecycle, the last argument, must be an object');
  }
  for (const [key, value] of Object.entries(lifecycle)) {
    if (!isLifecycleKey(key)) throw invalidKey(`${subject}, lifecycle`, key, Object.keys(LIFECYCLE_RULES));
    const [rule, test] = LIFECYCLE_RULES[key];
    if (value !== undefined && !test(value)) {
      throw new ClientsInvalidOptionsError(subject, `"${key}" of its lifecycle must be ${rule}`);
    }
  }
}

function invalidKey(where: string, key: string, known: readonly string[]): ClientsInvalidOptionsError {
  return new ClientsInvalidOptionsError(where, `"${key}" is not an option; the options are ${known.join(', ')}`);
}

function isLifecycleKey(key: string): key is keyof typeof LIFECYCLE_RULES {
  return Object.hasOwn(LIFECYCLE_RULES, key);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Also refuses `{ __proto__: definition }`, which declares nothing. */
function isPlainObject(value: unknown): value is ClientDefinitions {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

/** A class, a dynamic module, a promise of one, or `forwardRef`; Nest fails on anything else without saying where. */
function isModule(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  return ['module', 'forwardRef', 'then'].some((key) => typeof Reflect.get(value, key) === 'function');
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean';
}

function isToken(value: unknown): boolean {
  return ['string', 'symbol', 'function'].includes(typeof value) && value !== '';
}

function isTimeout(value: unknown): boolean {
  return typeof value === 'number' && value >= 1 && value <= LONGEST_TIMEOUT;
}
