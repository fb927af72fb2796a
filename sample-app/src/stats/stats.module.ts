import { Module } from '@nestjs/common';
import { LinksModule } from '../links/links.module.js';
import { WorkspacesModule } from '../workspaces/workspaces.module.js';
import { ClickCounter } from './click-counter.js';
import { StatsController } from './stats.controller.js';

@Module({
  imports: [LinksModule, WorkspacesModule],
  controllers: [StatsController],
  providers: [ClickCounter],
  exports: [ClickCounter],
})
export class StatsModule {}
