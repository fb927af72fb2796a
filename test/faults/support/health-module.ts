import { Controller, Get, type DynamicModule } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule, type TerminusModuleOptions } from '@nestjs/terminus';
import { ClientsHealthIndicator } from '../../../src/terminus/index.js';

class HealthModule {}

/** A module that answers `GET /health` with the health of all clients, each of which has that many milliseconds. */
export function healthModule(timeout: number, options?: TerminusModuleOptions): DynamicModule {
  @Controller()
  class HealthController {
    constructor(
      private readonly health: HealthCheckService,
      private readonly clients: ClientsHealthIndicator,
    ) {}

    @Get('health')
    @HealthCheck()
    check() {
      return this.health.check([() => this.clients.isHealthy('clients', { timeout })]);
    }
  }
  return {
    module: HealthModule,
    imports: [TerminusModule.forRoot(options)],
    controllers: [HealthController],
    providers: [ClientsHealthIndicator],
  };
}
