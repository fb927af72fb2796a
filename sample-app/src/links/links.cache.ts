import { Injectable, Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { InjectRedis } from 'nestjs-clients/redis';
import type { Link } from './link.js';

const TTL_SECONDS = 300;

/** Links in Redis. It forgets rather than fails: without Redis every link is read from the table. */
@Injectable()
export class LinksCache {
  private readonly logger = new Logger(LinksCache.name);

  constructor(@InjectRedis() private readonly redis: Redis) {}

  async get(slug: string): Promise<Link | undefined> {
    try {
      const cached = await this.redis.get(this.key(slug));
      return cached === null ? undefined : (JSON.parse(cached) as Link);
    } catch (error) {
      this.logger.debug(`Not read from the cache: ${String(error)}`);
      return undefined;
    }
  }

  async set(link: Link): Promise<void> {
    try {
      await this.redis.set(this.key(link.slug), JSON.stringify(link), 'EX', TTL_SECONDS);
    } catch (error) {
      this.logger.debug(`Not written to the cache: ${String(error)}`);
    }
  }

  private key(slug: string): string {
    return `link:${slug}`;
  }
}
