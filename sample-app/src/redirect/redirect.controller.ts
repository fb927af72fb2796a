import { Controller, Get, HttpStatus, Param, Redirect, type HttpRedirectResponse } from '@nestjs/common';
import { LinksService } from '../links/links.service.js';
import { SlugPipe } from '../links/slug.pipe.js';
import { ClickCounter } from '../stats/click-counter.js';
import { NamedWorkspace } from '../workspaces/workspace.decorator.js';

@Controller()
export class RedirectController {
  constructor(
    private readonly links: LinksService,
    private readonly clicks: ClickCounter,
  ) {}

  @Get(':slug')
  @Redirect()
  async follow(
    @Param('slug', SlugPipe) slug: string,
    @NamedWorkspace() workspace: string | undefined,
  ): Promise<HttpRedirectResponse> {
    const link = await this.links.get(slug, workspace);
    this.clicks.record(link);
    return { url: link.url, statusCode: HttpStatus.FOUND };
  }
}
