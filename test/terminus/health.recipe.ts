import { Controller, Get, Module } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { ClientsHealthIndicator } from '../../src/terminus/index.js';

@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly clients: ClientsHealthIndicator,
  ) {}

  /** The process answers. It asks no client: restarting this process mends no Redis. */
  @Get('live')
  @HealthCheck()
  live() {
    return this.health.check([]);
  }

  /** This instance can serve requests. It asks what no request can do without. */
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
