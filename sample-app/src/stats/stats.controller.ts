import { Controller, Get, Param } from '@nestjs/common';
import type { Link } from '../links/link.js';
import { LinksService } from '../links/links.service.js';
import { SlugPipe } from '../links/slug.pipe.js';
import { ClickCounter } from './click-counter.js';

@Controller('links/:slug/stats')
export class StatsController {
  constructor(
    private readonly links: LinksService,
    private readonly clicks: ClickCounter,
  ) {}

  @Get()
  async stats(@Param('slug', SlugPipe) slug: string): Promise<LinkStats> {
    const { url, createdAt } = await this.links.get(slug);
    return { slug, url, clicks: await this.clicks.count(slug), createdAt };
  }
}

interface LinkStats extends Link {
  clicks: number;
}
