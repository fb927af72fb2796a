import { InjectClient } from '../inject-client.decorator.js';

/**
 * Injects the Redis or Redis Cluster client named `name`. Default `'redis'`.
 *
 * @example
 * constructor(@InjectRedis() private readonly redis: Redis, @InjectRedis('sessions') private readonly sessions: Redis) {}
 */
export function InjectRedis(name = 'redis'): ParameterDecorator & PropertyDecorator {
  return InjectClient(name);
}
