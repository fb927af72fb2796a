import { Controller, Get, Module } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { ClientsHealthIndicator } from '../../src/terminus/index.js';

@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly clients: ClientsHealthIndicator,
  ) {}

  /** The process answers. It checks no client: a restart of this process would not repair Redis. */
  @Get('live')
  @HealthCheck()
  live() {
    return this.health.check([]);
  }

  /** This instance can serve requests. It checks only the clients that every request needs. */
  @Get('ready')
  @HealthCheck()
  ready() {
    return this.health.check([() => this.clients.isHealthy('clients', { clients: ['redis'], timeout: 500 })]);
  }

  /** For people and dashboards: every client. */
  @Get()
  @HealthCheck()
  all() {
    return this.health.check([() => this.clients.isHealthy('clients')]);
  }
}

@Module({
  imports: [TerminusModule],
  controllers: [HealthController],
  providers: [ClientsHealthIndicator],
})
export class HealthModule {}
