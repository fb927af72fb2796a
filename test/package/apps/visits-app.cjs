// A small service, and its whole life: it boots, its handler uses Redis, it closes. The packages come from the caller, by
// `import` or by `require`, so that this one file serves both.
const assert = require('node:assert/strict');

/** What `main.mjs` and `main.cjs` load. */
exports.PACKAGES = ['@nestjs/common', '@nestjs/core', 'nestjs-clients', 'nestjs-clients/redis', 'nestjs-clients/testing'];

/** The class of the service's root module. Decorators are called by hand: this is JavaScript. */
exports.createAppModule = ([{ Controller, Get, Module, Param }, , { ClientsModule }, { InjectRedis, redisClient }], url) => {
  class VisitsController {
    constructor(redis) {
      this.redis = redis;
    }

    visit(id) {
      return this.redis.incr(`visits:${id}`);
    }
  }
  Controller('visits')(VisitsController);
  InjectRedis()(VisitsController, undefined, 0);
  Get(':id')(VisitsController.prototype, 'visit', Object.getOwnPropertyDescriptor(VisitsController.prototype, 'visit'));
  Param('id')(VisitsController.prototype, 'visit', 0);

  class AppModule {}
  const clients = { redis: redisClient(url), unused: redisClient('redis://127.0.0.1:1') };
  Module({ imports: [ClientsModule.forRoot({ clients })], controllers: [VisitsController] })(AppModule);
  return AppModule;
};

/** Asks the running service, which answers from Redis, and closes it. */
exports.useAndClose = async ([, , { ClientRegistry }], app) => {
  const url = await app.getUrl();
  for (const count of ['1', '2']) {
    const response = await fetch(`${url}/visits/ada`, { headers: { connection: 'close' } });
    assert.equal(await response.text(), count);
  }
  const registry = app.get(ClientRegistry);
  assert.deepEqual(
    registry.status().map(({ name, state }) => [name, state]),
    [['redis', 'open'], ['unused', 'idle']],
  );
  const redis = registry.peek('redis');
  await app.close();
  assert.equal(redis.status, 'end');
  assert.deepEqual(
    registry.status().map(({ state }) => state),
    ['closed', 'closed'],
  );
};

exports.run = async (packages, createAdapter) => {
  const [, { NestFactory }, , , { startRedisServer }] = packages;
  const server = await startRedisServer();
  const AppModule = exports.createAppModule(packages, server.url);
  const app = await NestFactory.create(AppModule, createAdapter(), { logger: ['error', 'warn', 'fatal'], abortOnError: false });
  await app.listen(0, '127.0.0.1');
  await exports.useAndClose(packages, app);
  await server.close();
  console.log('closed'); // and the process must end now, by itself
};
