import type { InjectionToken } from '@nestjs/common';
import { ClientDefinition } from './client-definition.js';
import { getBehaviour, type ClientDriver } from './client-driver.js';
import type { ClientLifecycle } from './client-lifecycle.js';

/**
 * Declares a client of any kind. Nothing is built until the client is first injected.
 *
 * A driver that cannot be used makes `forRoot` throw `CLIENTS_INVALID_OPTIONS`.
 *
 * @example
 * ClientsModule.forRoot({
 *   clients: {
 *     postgres: defineClient({
 *       inject: [ConfigService],
 *       create: (config: ConfigService) => new Pool({ connectionString: config.getOrThrow('PG_URL') }),
 *       check: (pool) => pool.query('select 1'),
 *       close: (pool) => pool.end(),
 *     }),
 *   },
 * });
 */
export function defineClient<T>(driver: ClientDriver<T>, lifecycle?: ClientLifecycle): ClientDefinition<T> {
  const problem = findDriverProblem(driver);
  return new ClientDefinition<T>(
    {
      ...(!problem && getBehaviour(driver)),
      kind: driver?.kind ?? 'custom',
      inject: driver?.inject ?? [],
      configurable: false,
      findProblem: () => problem,
      create: ({ dependencies }) => driver.create(...(dependencies as never[])),
    },
    lifecycle,
  );
}

const FUNCTIONS = ['create', 'connect', 'check', 'close', 'destroy', 'onError'] as const;

function findDriverProblem<T>(driver: ClientDriver<T>): string | undefined {
  if (typeof driver !== 'object' || driver === null) return 'defineClient() takes a driver object: { create: () => … }';
  if (driver.kind !== undefined && typeof driver.kind !== 'string') return '"kind" of its driver must be a string';
  const inject: unknown = driver.inject;
  if (inject !== undefined && !isTokens(inject))
    return '"inject" of its driver must be an array of tokens, none undefined';
  if (typeof driver.create !== 'function') return 'its driver has no "create" function';
  for (const key of FUNCTIONS) {
    if (driver[key] !== undefined && typeof driver[key] !== 'function')
      return `"${key}" of its driver must be a function`;
  }
  return undefined;
}

/** A token is undefined where a circular import has not given it a value yet. */
export function isTokens(value: unknown): value is InjectionToken[] {
  return Array.isArray(value) && value.every((token) => token !== undefined && token !== null);
}
