import { BadRequestException, Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { ConditionalModule, ConfigModule } from '@nestjs/config';
import { APP_PIPE } from '@nestjs/core';
import { ClientsModule } from 'nestjs-clients';
import { HttpDrainModule } from 'nestjs-clients/http';
import { clients } from './clients/clients.js';
import { ClientsStatusModule } from './clients/clients-status.module.js';
import { environment } from './config/environment.js';
import { HealthModule } from './health/health.module.js';
import { LinkCheckerModule } from './link-checker/link-checker.module.js';
import { LinksModule } from './links/links.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { RateLimitModule } from './rate-limit/rate-limit.module.js';
import { RedirectModule } from './redirect/redirect.module.js';
import { StatsModule } from './stats/stats.module.js';
import { WorkspacesModule } from './workspaces/workspaces.module.js';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, cache: true, ignoreEnvFile: true, validationSchema: environment }),
    ClientsModule.forRoot({ imports: [WorkspacesModule], clients }),
    // Longer than any request takes: asking a link's target has 5 s.
    HttpDrainModule.forRoot({ timeout: 6_000 }),
    ConditionalModule.registerWhen(MetricsModule, (env) => env['METRICS'] === '1', { debug: false }),
    // First, to hear of the clients that bootstrap builds.
    ClientsStatusModule,
    HealthModule,
    RateLimitModule,
    LinksModule,
    StatsModule,
    LinkCheckerModule,
    // Last, because its route `/:slug` matches any other path of one segment.
    RedirectModule,
  ],
  providers: [
    {
      // Of what is wrong with a request the first is enough, in the words of its schema.
      provide: APP_PIPE,
      useFactory: () =>
        new StandardSchemaValidationPipe({ exceptionFactory: ([issue]) => new BadRequestException(issue?.message) }),
    },
  ],
})
export class AppModule {}
