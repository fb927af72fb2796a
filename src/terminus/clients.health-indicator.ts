import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { ClientRegistry } from '../registry/client-registry.js';
import type { ClientHealth } from '../registry/client-status.js';

/** Which clients to ask, and how long to wait for them. */
export interface ClientsHealthOptions {
  /** The names of the clients to ask. Default: every client. */
  clients?: readonly string[];
  /** Milliseconds until a client that does not answer counts as down. Default 1,000. */
  timeout?: number;
}

/**
 * Reports the clients' health to Terminus: up if none is down. It builds nothing, and always answers in time.
 *
 * List it among the `providers` of the module that imports `TerminusModule`.
 *
 * @example
 * @Get('health')
 * @HealthCheck()
 * check() {
 *   return this.health.check([() => this.clients.isHealthy('clients', { timeout: 500 })]);
 * }
 */
@Injectable()
export class ClientsHealthIndicator {
  constructor(
    @Inject(ClientRegistry) private readonly registry: ClientRegistry,
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
  ) {}

  /**
   * Asks all these clients at the same time. A client that nothing has used yet is reported as `idle` and counts as healthy.
   *
   * Rejects with `CLIENTS_UNKNOWN` if a name is unknown. A client named `status` is reported as `client:status`, because
   * Terminus reserves that key.
   *
   * @example
   * await indicator.isHealthy('clients'); // { clients: { status: 'up', redis: { status: 'up', duration: 0.4 } } }
   */
  async isHealthy<const K extends string>(
    key: K,
    { clients = this.registry.status().map(({ name }) => name), timeout }: ClientsHealthOptions = {},
  ): Promise<HealthIndicatorResult<K>> {
    const options = timeout === undefined ? {} : { timeout };
    const healths = await Promise.all(clients.map((name) => this.registry.check(name, options)));
    const details = Object.fromEntries(healths.map((health) => [toKey(health.name), describe(health)]));
    const session = this.indicators.check(key);
    return healths.some(({ status }) => status === 'down') ? session.down(details) : session.up(details);
  }
}

/** Terminus 11 and 12 throw on a detail named `status`. */
function toKey(name: string): string {
  return name === 'status' ? 'client:status' : name;
}

function describe({ status, duration, error }: ClientHealth): Record<string, unknown> {
  return {
    status,
    ...(duration !== undefined && { duration }),
    ...(error && { error: error.message }),
  };
}
