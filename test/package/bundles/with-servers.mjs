// node with-servers.mjs FILE: runs FILE beside a Redis and a DynamoDB server, and prints what it prints.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startDynamoDBServer, startRedisServer } from 'nestjs-clients/testing';

const [redis, dynamodb] = [await startRedisServer(), await startDynamoDBServer()];
try {
  const env = { ...process.env, REDIS_URL: redis.url, DYNAMODB: JSON.stringify(dynamodb.clientConfig) };
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', process.argv[2]], {
    env,
    timeout: 15_000,
  });
  process.stdout.write(stdout);
} finally {
  await Promise.all([redis.close(), dynamodb.close()]);
}
