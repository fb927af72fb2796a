import { Injectable, NotFoundException, ServiceUnavailableException } from '@nestjs/common';
import type { Link } from './link.js';
import { LinksCache } from './links.cache.js';
import { LinksRepository } from './links.repository.js';
import { createSlug } from './slug.js';

const MAX_ATTEMPTS = 5;

@Injectable()
export class LinksService {
  constructor(
    private readonly repository: LinksRepository,
    private readonly cache: LinksCache,
  ) {}

  async shorten(url: string): Promise<Link> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const link = { slug: createSlug(), url, createdAt: new Date().toISOString() };
      if (await this.repository.insert(link)) return link;
    }
    throw new ServiceUnavailableException('No free slug was found. Try again.');
  }

  async get(slug: string): Promise<Link> {
    const cached = await this.cache.get(slug);
    if (cached) return cached;

    const link = await this.repository.find(slug);
    if (!link) throw new NotFoundException('There is no such link.');
    this.cache.set(link);
    return link;
  }
}
