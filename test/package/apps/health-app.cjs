// The health indicator on the Terminus that is installed beside it: what a probe is told while one client is open and one
// is idle, and after the open one has lost its server. The packages come from the caller, as in visits-app.cjs.
const assert = require('node:assert/strict');

/** What whoever uses this file loads, in this order. */
const PACKAGES = [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/terminus',
  'nestjs-clients',
  'nestjs-clients/redis',
  'nestjs-clients/terminus',
  'nestjs-clients/testing',
];

/** Decorators are called by hand: this is JavaScript. */
function createAppModule(packages, url, built) {
  const [common, , terminus, { ClientsModule, defineClient }, { InjectRedis, redisClient }, ours] = packages;
  class HealthController {
    constructor(redis, health, clients) {
      Object.assign(this, { redis, health, clients });
    }

    check() {
      return this.health.check([() => this.clients.isHealthy('clients', { timeout: 2_000 })]);
    }
  }
  const { prototype } = HealthController;
  common.Controller('health')(HealthController);
  InjectRedis()(HealthController, undefined, 0);
  common.Inject(terminus.HealthCheckService)(HealthController, undefined, 1);
  common.Inject(ours.ClientsHealthIndicator)(HealthController, undefined, 2);
  for (const decorate of [common.Get(), terminus.HealthCheck()]) {
    decorate(prototype, 'check', Object.getOwnPropertyDescriptor(prototype, 'check'));
  }

  class AppModule {}
  const unused = defineClient({ create: () => built.push('unused') });
  common.Module({
    imports: [
      terminus.TerminusModule.forRoot({ logger: false }), // it logs each failed check
      ClientsModule.forRoot({ clients: { redis: redisClient(url), unused } }),
    ],
    controllers: [HealthController],
    providers: [ours.ClientsHealthIndicator],
  })(AppModule);
  return { AppModule, HealthController };
}

async function run(packages, platform) {
  const [{ ServiceUnavailableException }, { NestFactory }, , { ClientRegistry }, , , { startRedisServer }] = packages;
  const Adapter = platform.ExpressAdapter ?? platform.FastifyAdapter;
  const built = [];
  const server = await startRedisServer();
  const { AppModule, HealthController } = createAppModule(packages, server.url, built);
  const app = await NestFactory.create(AppModule, new Adapter(), { logger: false, abortOnError: false });
  await app.listen(0, '127.0.0.1');
  const probe = async () => {
    const response = await fetch(`${await app.getUrl()}/health`, { headers: { connection: 'close' } });
    return { status: response.status, body: await response.json() };
  };

  const { redis } = app.get(HealthController);
  await redis.ping();
  const well = await probe();
  const { duration, ...up } = well.body.details.clients.redis;
  assert.ok(duration > 0, `${duration} ms`);
  assert.deepEqual(up, { status: 'up' });
  assert.deepEqual(well, {
    status: 200,
    body: {
      status: 'ok',
      info: { clients: { redis: { status: 'up', duration }, unused: { status: 'idle' }, status: 'up' } },
      error: {},
      details: well.body.info,
    },
  });

  const lost = new Promise((resolve) => redis.once('close', resolve));
  await server.close();
  await lost;
  const ill = await probe();
  assert.equal(ill.status, 503);
  assert.equal(ill.body.status, 'error');
  assert.deepEqual(ill.body.info, {});
  assert.deepEqual(ill.body.error, ill.body.details);
  const { clients } = ill.body.error;
  assert.equal(clients.status, 'down');
  assert.equal(clients.redis.status, 'down');
  assert.ok(clients.redis.error.length > 0);
  assert.deepEqual(clients.unused, { status: 'idle' });
  await assert.rejects(app.get(HealthController).check(), ServiceUnavailableException);

  assert.deepEqual(built, []);
  assert.equal(app.get(ClientRegistry).peek('unused'), undefined);
  await app.close();
  process.stdout.write('closed'); // and now the process must end, by itself
}

module.exports = { PACKAGES, run };
