import { findDriverProblem } from './find-driver-problem.js';
import { ClientDefinition, type BuildContext, type ClientBlueprint } from './client-definition.js';
import type { ClientDriver } from './client-driver.js';
import type { Dependency } from './dependency.js';
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
 *       create: (config) => new Pool({ connectionString: config.getOrThrow('PG_URL') }),
 *       check: (pool) => pool.query('select 1'),
 *       close: (pool) => pool.end(),
 *     }),
 *   },
 * });
 */
export function defineClient<T, I extends readonly Dependency[] = readonly Dependency[]>(
  driver: ClientDriver<T, I>,
  lifecycle?: ClientLifecycle,
): ClientDefinition<T, never> {
  return new ClientDefinition<T, never>(new DriverBlueprint(driver as ClientDriver<T>), lifecycle);
}

const NONE: readonly Dependency[] = [];

class DriverBlueprint<T> implements ClientBlueprint<T> {
  constructor(readonly driver: ClientDriver<T>) {}

  get kind(): string {
    return this.driver.kind ?? 'custom';
  }

  get inject(): readonly Dependency[] {
    return this.driver.inject ?? NONE;
  }

  findProblem(): string | undefined {
    return findDriverProblem(this.driver);
  }

  create({ dependencies }: BuildContext): T | Promise<T> {
    return this.driver.create(...dependencies);
  }
}
