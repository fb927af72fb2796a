import { InjectClient } from './inject-client.decorator.js';

/**
 * Injects the Redis client named `name`, of whichever kind: it goes by the name alone. Default `'redis'`.
 *
 * @example
 * constructor(@InjectRedis() private readonly redis: Redis, @InjectRedis('sessions') private readonly sessions: Redis) {}
 */
export function InjectRedis(name = 'redis'): ParameterDecorator & PropertyDecorator {
  return InjectClient(name);
}
