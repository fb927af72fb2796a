import { Module } from '@nestjs/common';
import { LinksCache } from './links.cache.js';
import { LinksController } from './links.controller.js';
import { LinksRepository } from './links.repository.js';
import { LinksService } from './links.service.js';
import { LinksTable } from './links-table.js';

@Module({
  controllers: [LinksController],
  providers: [LinksTable, LinksRepository, LinksCache, LinksService],
  exports: [LinksService],
})
export class LinksModule {}
