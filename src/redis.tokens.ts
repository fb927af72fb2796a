import { getClientToken } from './clients.tokens.js';

/**
 * The injection token of the Redis client named `redis`, which is what `@InjectRedis()` injects.
 *
 * @example
 * Test.createTestingModule({ imports: [AppModule] }).overrideProvider(REDIS_CLIENT).useValue(fake);
 */
export const REDIS_CLIENT = getClientToken('redis');
