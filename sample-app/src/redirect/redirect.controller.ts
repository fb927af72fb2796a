import { Controller, Get, HttpStatus, Param, Redirect, type HttpRedirectResponse } from '@nestjs/common';
import { LinksService } from '../links/links.service.js';
import { SlugPipe } from '../links/slug.pipe.js';
import { ClickCounter } from '../stats/click-counter.js';

@Controller()
export class RedirectController {
  constructor(
    private readonly links: LinksService,
    private readonly clicks: ClickCounter,
  ) {}

  @Get(':slug')
  @Redirect()
  async follow(@Param('slug', SlugPipe) slug: string): Promise<HttpRedirectResponse> {
    const { url } = await this.links.get(slug);
    this.clicks.record(slug);
    return { url, statusCode: HttpStatus.FOUND };
  }
}
