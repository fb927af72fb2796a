import { InjectClient } from './inject-client.decorator.js';

/**
 * Injects the Redis client named `name`, of any kind: only the name counts. Default `'redis'`.
 *
 * @example
 * constructor(@InjectRedis() private readonly redis: Redis, @InjectRedis('sessions') private readonly sessions: Redis) {}
 */
export function InjectRedis(name = 'redis'): ParameterDecorator & PropertyDecorator {
  return InjectClient(name);
}
