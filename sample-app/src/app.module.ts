import { Module } from '@nestjs/common';
import { ClientsModule } from 'nestjs-clients';
import { HttpDrainModule } from 'nestjs-clients/http';
import { clients, clientOptions } from './clients/clients.js';
import { ClientsStatusModule } from './clients/clients-status.module.js';
import { AppConfig } from './config/app-config.js';
import { AppConfigModule } from './config/app-config.module.js';
import { HealthModule } from './health/health.module.js';
import { LinkCheckerModule } from './link-checker/link-checker.module.js';
import { LinksModule } from './links/links.module.js';
import { RateLimitModule } from './rate-limit/rate-limit.module.js';
import { RedirectModule } from './redirect/redirect.module.js';
import { StatsModule } from './stats/stats.module.js';

@Module({
  imports: [
    ClientsModule.forRootAsync({
      imports: [AppConfigModule],
      inject: [AppConfig],
      clients,
      useFactory: clientOptions,
    }),
    // Longer than any request takes: asking a link's target has 5 s.
    HttpDrainModule.forRoot({ timeout: 6_000 }),
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
})
export class AppModule {}
