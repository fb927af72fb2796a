import {
  Controller,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { Cron } from '@nestjs/schedule';
import type { Redis } from 'ioredis';
import { ClientRegistry } from '../../src/index.js';
import { InjectRedis } from '../../src/redis/index.js';

/** A scheduled job. */
@Injectable()
export class Reports {
  constructor(
    private readonly clients: ClientRegistry,
    @InjectRedis() private readonly redis: Redis,
  ) {}

  @Cron('* * * * * *')
  report(): Promise<void> {
    return this.clients.use(async () => {
      const visits = await this.redis.getdel('visits');
      if (visits !== null) await this.redis.rpush('reports', visits);
    });
  }
}

/** A handler of messages. */
@Controller()
export class Orders {
  constructor(
    private readonly clients: ClientRegistry,
    @InjectRedis() private readonly redis: Redis,
  ) {}

  @MessagePattern('order')
  order(article: string): Promise<number> {
    return this.clients.use(async () => {
      const number = await this.redis.incr('orders');
      await this.redis.hset('ordered', number, article);
      return number;
    });
  }
}

/** A consumer of a queue, which takes nothing more from it once shutdown has begun. */
@Injectable()
export class Letters implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Letters.name);
  private stopping = false;

  constructor(
    private readonly clients: ClientRegistry,
    @InjectRedis() private readonly redis: Redis,
    @InjectRedis('reader') private readonly reader: Redis, // a redisDuplicate(), because BLPOP blocks its connection
  ) {}

  onApplicationBootstrap(): void {
    void this.clients.use(() => this.consume());
  }

  beforeApplicationShutdown(): void {
    this.stopping = true;
  }

  private async consume(): Promise<void> {
    while (!this.stopping) {
      try {
        const letter = await this.reader.blpop('letters', 1); // the shutdown waits for up to this second
        if (!letter) continue;
        const count = await this.redis.rpush('sent', letter[1]);
        await this.redis.publish('sent', String(count));
      } catch (error) {
        this.logger.warn(error);
      }
    }
  }
}
