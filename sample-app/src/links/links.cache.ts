import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { InjectRedis } from 'nestjs-clients/redis';
import { OutageLog } from '../logging/outage-log.js';
import type { Link } from './link.js';

const TTL_SECONDS = 300;

/** Links of every workspace, because who follows a link names none. It forgets rather than fails: without Redis every link is read from the table. */
@Injectable()
export class LinksCache {
  private readonly outage = new OutageLog(LinksCache.name);

  constructor(@InjectRedis() private readonly redis: Redis) {}

  async get(slug: string): Promise<Link | undefined> {
    try {
      const cached = await this.redis.get(this.key(slug));
      this.outage.succeeded();
      return cached === null ? undefined : (JSON.parse(cached) as Link);
    } catch (error) {
      this.outage.failed('Links are read from the table', error);
      return undefined;
    }
  }

  /** In the background: the request has its answer. */
  set(link: Link): void {
    this.redis.set(this.key(link.slug), JSON.stringify(link), 'EX', TTL_SECONDS).catch((error: unknown) => {
      this.outage.failed('Links are not cached', error);
    });
  }

  private key(slug: string): string {
    return `link:${slug}`;
  }
}
