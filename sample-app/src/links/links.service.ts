import { Injectable, NotFoundException, ServiceUnavailableException } from '@nestjs/common';
import { nanoid } from 'nanoid';
import { workspaceOf, type Link } from './link.js';
import { LinksCache } from './links.cache.js';
import { LinksRepository } from './links.repository.js';
import { SLUG_LENGTH } from './slug.pipe.js';

const MAX_ATTEMPTS = 5;

@Injectable()
export class LinksService {
  constructor(
    private readonly repository: LinksRepository,
    private readonly cache: LinksCache,
  ) {}

  async shorten(url: string, workspace: string): Promise<Link> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const link = { slug: nanoid(SLUG_LENGTH), url, createdAt: new Date().toISOString(), workspace };
      if (await this.repository.insert(link)) return link;
    }
    throw new ServiceUnavailableException('No free slug was found. Try again.');
  }

  /** The link, if it belongs to that workspace; without one, whichever it belongs to. */
  async get(slug: string, workspace?: string): Promise<Link> {
    const link = (await this.cache.get(slug)) ?? (await this.read(slug));
    if (!link || (workspace !== undefined && workspaceOf(link) !== workspace)) {
      throw new NotFoundException('There is no such link.');
    }
    return link;
  }

  private async read(slug: string): Promise<Link | undefined> {
    const link = await this.repository.find(slug);
    if (link) this.cache.set(link);
    return link;
  }
}
