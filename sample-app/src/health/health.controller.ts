import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { SkipThrottle } from '@nestjs/throttler';
import { ClientsHealthIndicator } from 'nestjs-clients/terminus';

/** Milliseconds that a client has to answer. */
const TIMEOUT = 500;

@Controller('health')
@SkipThrottle() // The guard asks Redis first, and must neither hold up a probe nor refuse it.
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly clients: ClientsHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.clients.isHealthy('clients', { timeout: TIMEOUT })]);
  }
}
