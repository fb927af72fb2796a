import { Controller, HttpCode, Param, Post } from '@nestjs/common';
import { LinksService } from '../links/links.service.js';
import { SlugPipe } from '../links/slug.pipe.js';
import { Workspace } from '../workspaces/workspace.decorator.js';
import { LinkCheckerService, type CheckResult } from './link-checker.service.js';

@Controller('links/:slug/check')
export class LinkCheckerController {
  constructor(
    private readonly links: LinksService,
    private readonly checker: LinkCheckerService,
  ) {}

  @Post()
  @HttpCode(200)
  async check(
    @Param('slug', SlugPipe) slug: string,
    @Workspace() workspace: string,
  ): Promise<CheckResult & { slug: string }> {
    const { url } = await this.links.get(slug, workspace);
    return { slug, ...(await this.checker.check(url)) };
  }
}
