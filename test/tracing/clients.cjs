// Runs the same commands on clients from the library, or made from the SDKs by the application itself.
const { env } = process;
const config = JSON.parse(env.DYNAMODB);

/** @param load how this application loads a module: its `require`, or its `import` */
exports.run = async (load) => {
  const { GetItemCommand } = await load('@aws-sdk/client-dynamodb');
  const { redis, dynamodb, document, close } = await (env.FROM === 'sdk' ? fromTheSdks(load) : fromTheLibrary(load));
  for (const value of ['one', 'two', 'three']) await redis.set('key', value);
  await redis.get('key');
  const command = { TableName: 'none', Key: { id: { S: '1' } } };
  for (const client of [dynamodb, document]) await client.send(new GetItemCommand(command)).catch(() => {});
  await close();
  console.log(
    JSON.stringify({ spans: globalThis.spans().toSorted(), same: redis instanceof (await load('ioredis')).Redis }),
  );
};

async function fromTheSdks(load) {
  const { Redis } = await load('ioredis');
  const { DynamoDBClient } = await load('@aws-sdk/client-dynamodb');
  const { DynamoDBDocumentClient } = await load('@aws-sdk/lib-dynamodb');
  const redis = new Redis(env.REDIS_URL, { lazyConnect: true });
  const dynamodb = new DynamoDBClient(config);
  return { redis, dynamodb, document: DynamoDBDocumentClient.from(dynamodb), close: () => redis.disconnect() };
}

async function fromTheLibrary(load) {
  const { NestFactory } = await load('@nestjs/core');
  const { ClientRegistry, ClientsModule } = await load('nestjs-clients');
  const { redisClient } = await load('nestjs-clients/redis');
  const { dynamoDBClient, dynamoDBDocumentClient } = await load('nestjs-clients/dynamodb');
  const clients = {
    redis: redisClient(env.REDIS_URL),
    dynamodb: dynamoDBClient(config),
    document: dynamoDBDocumentClient(),
  };
  const app = await NestFactory.createApplicationContext(ClientsModule.forRoot({ clients }), { logger: false });
  const registry = app.get(ClientRegistry);
  const [redis, dynamodb, document] = await Promise.all(Object.keys(clients).map((name) => registry.get(name)));
  return { redis, dynamodb, document, close: () => app.close() };
}
