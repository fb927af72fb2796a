import { Module } from '@nestjs/common';
import { LinksModule } from '../links/links.module.js';
import { StatsModule } from '../stats/stats.module.js';
import { RedirectController } from './redirect.controller.js';

@Module({
  imports: [LinksModule, StatsModule],
  controllers: [RedirectController],
})
export class RedirectModule {}
