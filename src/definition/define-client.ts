import { ClientDefinition } from './client-definition.js';
import type { ClientDriver } from './client-driver.js';
import type { ClientLifecycle } from './client-lifecycle.js';
import { findDriverProblem } from '../validation/find-driver-problem.js';

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
export function defineClient<T>(driver: ClientDriver<T>, lifecycle?: ClientLifecycle): ClientDefinition<T, never> {
  const problem = findDriverProblem(driver);
  return new ClientDefinition<T, never>(
    {
      kind: driver?.kind ?? 'custom',
      inject: driver?.inject ?? [],
      driver,
      configurable: false,
      findProblem: () => problem,
      create: ({ dependencies }) => driver.create(...(dependencies as never[])),
    },
    lifecycle,
  );
}
