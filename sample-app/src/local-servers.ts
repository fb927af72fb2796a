/**
 * Makes the app run on its own: starts the servers that the environment does not name, inside this process, on free
 * loopback ports, and names them. They need no closing: they end with the process, which Nest ends after its shutdown
 * hooks, and so after the last client has been closed.
 */
export async function startLocalServers(env: NodeJS.ProcessEnv): Promise<void> {
  if (env['REDIS_URL'] && env['DYNAMODB_ENDPOINT']) return;
  const { startRedisServer, startDynamoDBServer } = await import('nestjs-clients/testing');

  if (!env['REDIS_URL']) {
    const redis = await startRedisServer();
    env['REDIS_URL'] = redis.url;
    env['WORKSPACES_IN_PROCESS'] ??= '1';
  }
  if (!env['DYNAMODB_ENDPOINT']) {
    const dynamoDB = await startDynamoDBServer();
    env['DYNAMODB_ENDPOINT'] = dynamoDB.endpoint;
  }
}
