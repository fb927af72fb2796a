// A small service, and its whole life: it boots, its handler uses Redis, it closes. The packages come from the caller, by
// `import` or by `require`, so that this one file serves both.
const assert = require('node:assert/strict');

/** What whoever uses this file loads, in this order. */
const PACKAGES = ['@nestjs/common', '@nestjs/core', 'nestjs-clients', 'nestjs-clients/redis', 'nestjs-clients/testing'];

/** The clients of the service, and whether one of them has ended. */
const IOREDIS = {
  declare: ({ redisClient }, url) => ({ redis: redisClient(url), unused: redisClient('redis://127.0.0.1:1') }),
  hasEnded: (client) => client.status === 'end',
};

/** The service's root module. Decorators are called by hand: this is JavaScript. */
function createAppModule([{ Controller, Get, Module, Param }, , { ClientsModule }, redisPackage], url, { declare }) {
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
  redisPackage.InjectRedis()(VisitsController, undefined, 0);
  Get(':id')(prototype, 'visit', Object.getOwnPropertyDescriptor(prototype, 'visit'));
  Param('id')(prototype, 'visit', 0);

  class AppModule {}
  const clients = declare(redisPackage, url);
  Module({ imports: [ClientsModule.forRoot({ clients })], controllers: [VisitsController] })(AppModule);
  return AppModule;
}

/** Asks the running service, whose handler answers from Redis, and closes it. */
async function useAndClose([, , { ClientRegistry }], app, { hasEnded }) {
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
  assert.ok(hasEnded(redis));
  assert.deepEqual(states(), ['redis closed', 'unused closed']);
}

async function run(packages, platform, kind = IOREDIS) {
  const [, { NestFactory }, , , { startRedisServer }] = packages;
  const Adapter = platform.ExpressAdapter ?? platform.FastifyAdapter;
  const server = await startRedisServer();
  const logger = ['error', 'warn', 'fatal'];
  const AppModule = createAppModule(packages, server.url, kind);
  const app = await NestFactory.create(AppModule, new Adapter(), { logger, abortOnError: false });
  await app.listen(0, '127.0.0.1');
  await useAndClose(packages, app, kind);
  await server.close();
  process.stdout.write('closed'); // and now the process must end, by itself
}

/** What a user's end-to-end test looks like. Vitest and Jest have the same functions under other names. */
function describeVisits(packages, { Test }, { describe, it, beforeAll, afterAll, afterEach, expect }) {
  const [, , { ClientRegistry, getClientToken }, , { closeAllClients, startRedisServer }] = packages;

  describe('visits', () => {
    let server;
    const prepare = () => Test.createTestingModule({ imports: [createAppModule(packages, server.url, IOREDIS)] });

    beforeAll(async () => {
      server = await startRedisServer();
    });
    afterEach(() => closeAllClients());
    afterAll(() => server.close());

    it('counts in Redis', async () => {
      const app = (await prepare().compile()).createNestApplication();
      await app.listen(0, '127.0.0.1');
      await useAndClose(packages, app, IOREDIS);
    });

    it('builds nothing for a client that is overridden', async () => {
      const fake = { incr: async () => 41 };
      const testing = await prepare().overrideProvider(getClientToken('redis')).useValue(fake).compile();
      expect(await testing.resolve(getClientToken('redis'))).toBe(fake);
      const states = testing
        .get(ClientRegistry)
        .status()
        .map(({ state }) => state);
      expect(states).toEqual(['idle', 'idle']);
    });

    it('leaves nothing open although this test closes nothing', async () => {
      const testing = await prepare().compile();
      await testing.init();
      const redis = await testing.get(ClientRegistry).get('redis');
      expect(await redis.ping()).toBe('PONG');
    });
  });
}

module.exports = { PACKAGES, run, describeVisits };
