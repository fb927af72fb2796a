import { HttpException, Injectable, ServiceUnavailableException } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { InjectRedis } from 'nestjs-clients/redis';
import { workspaceOf, type Link } from '../links/link.js';
import { OutageLog } from '../logging/outage-log.js';
import { WorkspaceRedis } from '../workspaces/workspace-redis.js';
import { DEFAULT_WORKSPACE } from '../workspaces/workspace.decorator.js';

/** Clicks, in the Redis of the link's workspace. That of the default workspace is the app's own. */
@Injectable()
export class ClickCounter {
  private readonly outage = new OutageLog(ClickCounter.name);

  constructor(
    @InjectRedis() private readonly redis: Redis,
    private readonly workspaces: WorkspaceRedis,
  ) {}

  /**
   * Counts a click in the background: nobody who follows a link waits for it, or learns that it failed. What is on its
   * way at shutdown still arrives, because the client is answered before it closes.
   */
  record(link: Link): void {
    this.on(link, (redis) => redis.incr(this.key(link))).then(
      () => this.outage.succeeded(),
      (error: unknown) => this.outage.failed('Clicks are not counted', error),
    );
  }

  async count(link: Link): Promise<number> {
    try {
      return Number(await this.on(link, (redis) => redis.get(this.key(link))));
    } catch (error) {
      if (error instanceof HttpException) throw error;
      throw new ServiceUnavailableException('The clicks cannot be read now: Redis does not answer.', { cause: error });
    }
  }

  private on<R>(link: Link, work: (redis: Redis) => Promise<R>): Promise<R> {
    const workspace = workspaceOf(link);
    return workspace === DEFAULT_WORKSPACE ? work(this.redis) : this.workspaces.use(workspace, work);
  }

  private key({ slug }: Link): string {
    return `clicks:${slug}`;
  }
}
