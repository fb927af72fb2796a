import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { ClientsHealthIndicator } from 'nestjs-clients/terminus';
import { HealthController } from './health.controller.js';

@Module({
  // A probe that fails every few seconds would flood the log, which already says which client is lost, and when.
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [ClientsHealthIndicator],
})
export class HealthModule {}
