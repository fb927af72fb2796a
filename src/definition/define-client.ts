import { ClientDefinition } from './client-definition.js';
import type { ClientDriver } from './client-driver.js';
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
  const { kind = 'custom', inject = [], create: _, ...behaviour } = driver ?? {};
  return new ClientDefinition<T>(
    {
      ...behaviour,
      kind,
      inject,
      configurable: false,
      findProblem: () => findDriverProblem(driver),
      create: ({ dependencies }) => driver.create(...(dependencies as never[])),
    },
    lifecycle,
  );
}

const FUNCTIONS = ['create', 'connect', 'check', 'close', 'destroy', 'onError'] as const;

function findDriverProblem(driver: ClientDriver<unknown>): string | undefined {
  if (typeof driver !== 'object' || driver === null) return 'defineClient() takes a driver object: { create: () => … }';
  if (typeof driver.create !== 'function') return 'its driver has no "create" function';
  for (const key of FUNCTIONS) {
    if (driver[key] !== undefined && typeof driver[key] !== 'function') return `"${key}" is not a function`;
  }
  return undefined;
}
