export { redisClient, type RedisClientOptions } from './redis-client.js';
export { redisCluster, type RedisClusterOptions } from './redis-cluster.js';
export { InjectRedis } from './inject-redis.decorator.js';
export { REDIS_CLIENT } from './redis.tokens.js';
export type { RedisCredentials, RedisCredentialsProvider } from './credentials.js';
