import { Body, Controller, Post, Req } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import type { Request } from 'express';
import type { Environment } from '../config/environment.js';
import { Workspace } from '../workspaces/workspace.decorator.js';
import { LinksService } from './links.service.js';
import { shortenRequest, type ShortenRequest } from './shorten-request.js';

@Controller('links')
export class LinksController {
  constructor(
    private readonly links: LinksService,
    private readonly config: ConfigService<Environment, true>,
  ) {}

  @Post()
  async shorten(
    @Body({ schema: shortenRequest }) { url }: ShortenRequest,
    @Workspace() workspace: string,
    @Req() request: Request,
  ): Promise<ShortenedLink> {
    const { slug } = await this.links.shorten(url, workspace);
    // Behind a proxy these are what the browser sees only if the app trusts the proxy: TRUST_PROXY.
    const base = this.config.get('PUBLIC_URL', { infer: true }) ?? `${request.protocol}://${request.host}`;
    return { slug, url, shortUrl: new URL(slug, `${base.replace(/\/$/, '')}/`).href };
  }
}

interface ShortenedLink {
  slug: string;
  url: string;
  shortUrl: string;
}
