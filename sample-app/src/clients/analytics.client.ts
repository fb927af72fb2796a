import { redisClient } from 'nestjs-clients/redis';

/** Nobody uses this one, so it is never built: its host need not even exist. */
export const analytics = redisClient('redis://analytics.internal:6379');
