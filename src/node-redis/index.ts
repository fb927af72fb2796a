export { nodeRedisClient, type NodeRedisClientOptions } from './node-redis-client.js';
export { nodeRedisCluster, type NodeRedisClusterOptions } from './node-redis-cluster.js';
export { nodeRedisSentinel, type NodeRedisSentinelOptions } from './node-redis-sentinel.js';
export { InjectRedis } from '../inject-redis.decorator.js';
export { REDIS_CLIENT } from '../redis.tokens.js';
