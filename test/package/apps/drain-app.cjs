// A service that shuts down while connections of every kind are open: what is owed is answered, what has no end is cut. The
// packages come from the caller, as in visits-app.cjs.
const assert = require('node:assert/strict');
const events = require('node:events');
const { connect } = require('node:net');

/** What whoever uses this file loads, in this order. */
const PACKAGES = ['@nestjs/common', '@nestjs/core', 'nestjs-clients', 'nestjs-clients/http'];
const TIMEOUT = 1_200;

/** The service's root module. Decorators are called by hand: this is JavaScript. */
function createAppModule([{ Controller, Get, Module }, , { ClientsModule, defineClient }, { HttpDrainModule }], it) {
  class DrainController {
    async held() {
      it.held += 1;
      if (it.held === 3) it.allHeld();
      await it.released;
      return `client ${it.client}`;
    }

    never() {
      return new Promise(() => {});
    }
  }
  const { prototype } = DrainController;
  Controller()(DrainController);
  for (const name of ['held', 'never']) Get(name)(prototype, name, Object.getOwnPropertyDescriptor(prototype, name));

  class AppModule {}
  const main = defineClient(
    { create: () => (it.client = 'open'), connect: () => {}, close: () => void (it.client = 'closed') },
    { eager: true },
  );
  const imports = [ClientsModule.forRoot({ clients: { main } }), HttpDrainModule.forRoot({ timeout: TIMEOUT })];
  Module({ imports, controllers: [DrainController] })(AppModule);
  return AppModule;
}

async function run(packages, platform) {
  const [, { NestFactory }] = packages;
  const Adapter = platform.ExpressAdapter ?? platform.FastifyAdapter;
  const it = { held: 0, client: 'none' };
  it.released = new Promise((resolve) => (it.release = resolve));
  const allHeld = new Promise((resolve) => (it.allHeld = resolve));
  const warnings = [];
  const logger = { log() {}, error: console.error, warn: (...parts) => warnings.push(parts.join(' ')) };
  const app = await NestFactory.create(createAppModule(packages, it), new Adapter(), { logger, abortOnError: false });
  await app.listen(0, '127.0.0.1');
  const { port } = new URL(await app.getUrl());
  const open = async (bytes) => {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    const connection = { socket, received: '', ended: events.once(socket, 'close') };
    socket.on('data', (chunk) => (connection.received += chunk));
    socket.on('error', () => {});
    await events.once(socket, 'connect');
    socket.write(bytes);
    return connection;
  };
  const request = (path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

  const idle = await open(request('/nowhere'));
  await events.once(idle.socket, 'data');
  const busy = await open(request('/held'));
  const pipelining = await open(request('/held') + request('/held'));
  const silent = await open('');
  const half = await open('GET /nowhere HTTP/1.1\r\nHo');
  const never = await open(request('/never?token=s3cret'));
  await allHeld;

  const start = performance.now();
  const closing = app.close();
  await idle.ended;
  assert.ok(performance.now() - start < 500, 'the idle connection is closed at once');
  half.socket.write('st: a\r\n\r\n');
  it.release();
  await closing;
  const took = performance.now() - start;
  await Promise.all([busy, pipelining, silent, half, never].map(({ ended }) => ended));

  assert.ok(took > TIMEOUT - 20 && took < TIMEOUT + 1_000, `${took} ms`);
  assert.match(busy.received, /\r\nconnection: close\r\n[^]*client open$/i);
  assert.deepEqual(pipelining.received.match(/client [a-z]+/g), ['client open', 'client open']);
  assert.match(half.received, /^HTTP\/1\.1 404 /);
  assert.equal(silent.received + never.received, '');
  assert.deepEqual(warnings, [
    `Cut off 1 connection that was still open ${TIMEOUT} ms after shutdown began: GET /never HttpDrainModule`,
  ]);
  assert.equal(it.client, 'closed');
  process.stdout.write('closed'); // and now the process must end, by itself
}

module.exports = { PACKAGES, run };
