export { closeAllClients } from './close-all-clients.js';
export { startDynamoDBServer, type DynamoDBServer, type DynamoDBServerOptions } from './start-dynamodb-server.js';
export { startRedisServer, type RedisServer, type RedisServerOptions } from './start-redis-server.js';
export type { TestServer } from './test-server.js';
