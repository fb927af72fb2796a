import { Module } from '@nestjs/common';
import { LinksModule } from '../links/links.module.js';
import { LinkCheckerController } from './link-checker.controller.js';
import { LinkCheckerService } from './link-checker.service.js';

@Module({
  imports: [LinksModule],
  controllers: [LinkCheckerController],
  providers: [LinkCheckerService],
})
export class LinkCheckerModule {}
