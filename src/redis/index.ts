export { redisClient, type RedisClientOptions } from './redis-client.js';
export { redisCluster, type RedisClusterOptions } from './redis-cluster.js';
export { redisDuplicate, type RedisDuplicateOptions } from './redis-duplicate.js';
export type { RedisCredentials, RedisCredentialsProvider } from './credentials.js';
export { InjectRedis } from '../inject-redis.decorator.js';
export { REDIS_CLIENT } from '../redis.tokens.js';
