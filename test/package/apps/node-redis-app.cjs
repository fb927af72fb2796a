// As visits-app.cjs, on node-redis, with everything from nestjs-clients/node-redis alone.
const assert = require('node:assert/strict');

const PACKAGES = [
  '@nestjs/common',
  '@nestjs/core',
  'nestjs-clients',
  'nestjs-clients/node-redis',
  'nestjs-clients/testing',
];

function createAppModule(
  [{ Controller, Get, Module, Param }, , { ClientsModule }, { InjectRedis, nodeRedisClient }],
  url,
) {
  class VisitsController {
    constructor(redis) {
      this.redis = redis;
    }

    visit(id) {
      return this.redis.incr(`visits:${id}`);
    }
  }
  const { prototype } = VisitsController;
  Controller('visits')(VisitsController);
  InjectRedis()(VisitsController, undefined, 0);
  Get(':id')(prototype, 'visit', Object.getOwnPropertyDescriptor(prototype, 'visit'));
  Param('id')(prototype, 'visit', 0);

  class AppModule {}
  // The server in this process speaks RESP 2.
  const clients = { redis: nodeRedisClient({ url, RESP: 2 }), unused: nodeRedisClient('redis://127.0.0.1:1') };
  Module({ imports: [ClientsModule.forRoot({ clients })], controllers: [VisitsController] })(AppModule);
  return AppModule;
}

async function run(packages, platform) {
  const [, { NestFactory }, { ClientRegistry }, , { startRedisServer }] = packages;
  const Adapter = platform.ExpressAdapter ?? platform.FastifyAdapter;
  const server = await startRedisServer();
  const logger = ['error', 'warn', 'fatal'];
  const AppModule = createAppModule(packages, server.url);
  const app = await NestFactory.create(AppModule, new Adapter(), { logger, abortOnError: false });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  for (const count of ['1', '2']) {
    const response = await fetch(`${url}/visits/ada`, { headers: { connection: 'close' } });
    assert.equal(await response.text(), count);
  }
  const registry = app.get(ClientRegistry);
  const states = () => registry.status().map(({ name, state }) => `${name} ${state}`);
  assert.deepEqual(states(), ['redis open', 'unused idle']);
  const redis = registry.peek('redis');
  await app.close();
  assert.equal(redis.isOpen, false);
  assert.deepEqual(states(), ['redis closed', 'unused closed']);
  await server.close();
  process.stdout.write('closed'); // and now the process must end, by itself
}

module.exports = { PACKAGES, run };
