import { Body, Controller, Headers, Post } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';
import { HttpUrlPipe } from './http-url.pipe.js';
import { LinksService } from './links.service.js';

@Controller('links')
export class LinksController {
  constructor(
    private readonly links: LinksService,
    private readonly config: AppConfig,
  ) {}

  @Post()
  async shorten(@Body('url', HttpUrlPipe) url: string, @Headers('host') host: string): Promise<ShortenedLink> {
    const { slug } = await this.links.shorten(url);
    return { slug, url, shortUrl: `${this.config.publicUrl ?? `http://${host}`}/${slug}` };
  }
}

interface ShortenedLink {
  slug: string;
  url: string;
  shortUrl: string;
}
