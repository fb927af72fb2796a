import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { InjectRedis } from 'nestjs-clients/redis';
import { OutageLog } from '../logging/outage-log.js';

@Injectable()
export class ClickCounter {
  private readonly outage = new OutageLog(ClickCounter.name);

  constructor(@InjectRedis() private readonly redis: Redis) {}

  /**
   * Counts a click in the background: nobody who follows a link waits for it, or learns that it failed. What is on its
   * way at shutdown still arrives, because the client is answered before it closes.
   */
  record(slug: string): void {
    this.redis.incr(this.key(slug)).then(
      () => this.outage.succeeded(),
      (error: unknown) => this.outage.failed('Clicks are not counted', error),
    );
  }

  async count(slug: string): Promise<number> {
    return Number(await this.redis.get(this.key(slug)));
  }

  private key(slug: string): string {
    return `clicks:${slug}`;
  }
}
