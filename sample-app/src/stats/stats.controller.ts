import { Controller, Get, Param } from '@nestjs/common';
import type { Link } from '../links/link.js';
import { LinksService } from '../links/links.service.js';
import { SlugPipe } from '../links/slug.pipe.js';
import { Workspace } from '../workspaces/workspace.decorator.js';
import { ClickCounter } from './click-counter.js';

@Controller('links/:slug/stats')
export class StatsController {
  constructor(
    private readonly links: LinksService,
    private readonly clicks: ClickCounter,
  ) {}

  @Get()
  async stats(@Param('slug', SlugPipe) slug: string, @Workspace() workspace: string): Promise<LinkStats> {
    const link = await this.links.get(slug, workspace);
    return { slug, url: link.url, clicks: await this.clicks.count(link), createdAt: link.createdAt };
  }
}

interface LinkStats extends Omit<Link, 'workspace'> {
  clicks: number;
}
