import { Injectable, Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { InjectRedis } from 'nestjs-clients/redis';

@Injectable()
export class ClickCounter {
  private readonly logger = new Logger(ClickCounter.name);

  constructor(@InjectRedis() private readonly redis: Redis) {}

  /**
   * Counts a click in the background: nobody who follows a link waits for it, or learns that it failed. What is on its
   * way at shutdown still arrives, because the client answers what it was sent before it closes.
   */
  record(slug: string): void {
    this.redis.incr(this.key(slug)).catch((error: unknown) => {
      this.logger.debug(`A click was not counted: ${String(error)}`);
    });
  }

  async count(slug: string): Promise<number> {
    return Number(await this.redis.get(this.key(slug)));
  }

  private key(slug: string): string {
    return `clicks:${slug}`;
  }
}
