/** A factory provider, closed where Nest's documentation closes connections: in `onModuleDestroy`. */
import { Inject } from '@nestjs/common';
import { Redis } from 'ioredis';
import { asModule } from '../../decorate.mjs';
import { REDIS_URL } from '../../settings.mjs';

class HandWrittenModule {
  constructor(redis) {
    this.redis = redis;
  }
  async onModuleDestroy() {
    await this.redis.quit();
  }
}
Inject('REDIS')(HandWrittenModule, undefined, 0);

export const declare = () => ({
  imports: [
    {
      module: asModule({}, HandWrittenModule),
      global: true,
      providers: [{ provide: 'REDIS', useFactory: () => new Redis(REDIS_URL) }],
      exports: ['REDIS'],
    },
  ],
  inject: ['REDIS'],
  pick: (redis) => redis,
});
