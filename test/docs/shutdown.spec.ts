import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { Controller, Get, type BeforeApplicationShutdown, type INestApplication, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import type { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { HttpDrainModule } from '../../src/http/index.js';
import type { ClientDefinition } from '../../src/index.js';
import { closeAllClients, startRedisServer } from '../../src/testing/index.js';
import { bootApp, clientsOf, moduleOf, registryOf, rejection, request } from '../support/boot-app.js';
import { deferred } from '../support/deferred.js';
import { Journal } from '../support/journal.js';
import { runExample } from './examples.js';

const PAGE = 'docs/shutdown.md';
const LOCAL = 'redis://localhost:6379';

@Controller()
class Pages implements BeforeApplicationShutdown {
  readonly #shutdown = deferred();

  beforeApplicationShutdown(): void {
    this.#shutdown.resolve();
  }

  /** Answers when the shutdown has begun. */
  @Get('slow')
  async slow(): Promise<string> {
    await this.#shutdown.promise;
    await wait(200);
    return 'done';
  }
}

/** Whether it has closed before the HTTP server's keepAliveTimeout of 5 s would have let it. */
async function closesSoon(app: INestApplication): Promise<boolean> {
  const late = new AbortController();
  const outcome = await Promise.race([
    app.close().then(() => true),
    wait(3_000, false, { signal: late.signal, ref: false }).catch(() => false),
  ]);
  late.abort();
  return outcome;
}

async function openSocket(app: INestApplication): Promise<ReturnType<typeof connect>> {
  const socket = connect(Number(new URL(await app.getUrl()).port), '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

describe(PAGE, () => {
  it('does not wait for connections that are owed no answer, and answers the others', async () => {
    const { DrainedModule } = await runExample<{ DrainedModule: Type }>(PAGE, 'DrainedModule');
    const app = await bootApp({ controllers: [Pages], imports: [DrainedModule] }, { listen: true });
    const unused = await openSocket(app);
    const busy = await openSocket(app);
    const answer = once(busy, 'data');
    busy.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n'); // and keeps the connection alive
    await request(app, '/'); // the server has seen both

    expect(await closesSoon(app)).toBe(true);
    expect(String(await answer)).toMatch(/^HTTP\/1\.1 200 [^]*\r\nConnection: close\r\n[^]*done$/);
    expect(unused.readyState).not.toBe('open');
  });

  it('says goodbye to the clients of a gateway', async () => {
    const examples = await runExample<{ LiveGateway: Type; DrainedModule: Type }>(PAGE, 'LiveGateway');
    const { DrainedModule } = await runExample<{ DrainedModule: Type }>(PAGE, 'DrainedModule');
    const app = await bootApp(
      { imports: [DrainedModule], providers: [examples.LiveGateway] },
      { listen: true, prepare: (created) => void created.useWebSocketAdapter(new WsAdapter(created)) },
    );
    const socket = new WebSocket(`${(await app.getUrl()).replace('http', 'ws')}/live`);
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    const closed = once(socket, 'close');

    expect(await closesSoon(app)).toBe(true);
    expect(await closed).toEqual([1001, Buffer.from('the server shuts down')]);
  });

  it('drains and closes another server', async () => {
    const { listenOn } = await runExample<{ listenOn: (app: INestApplication, port: number) => void }>(
      PAGE,
      'listenOn',
    );
    const app = await bootApp({ controllers: [Pages], imports: [HttpDrainModule] }, { listen: true });
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    await new Promise((closed) => probe.close(closed));
    listenOn(app, port);
    const busy = connect(port, '127.0.0.1');
    onTestFinished(() => void busy.destroy());
    const answer = text(busy);
    busy.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }); // the server has seen it

    expect(await closesSoon(app)).toBe(true);
    expect(await answer).toMatch(/done$/);
  });

  it('waits for a connection that sends no request, and has its clients open meanwhile', async () => {
    const journal = new Journal();
    const clients = clientsOf({ main: journal.client('main') });
    const app = await bootApp({ imports: [clients], controllers: [Pages] }, { listen: true });
    await registryOf(app).get('main');
    const unused = await openSocket(app);
    await request(app, '/'); // the server has seen it

    const closing = app.close();
    expect(await Promise.race([closing.then(() => 'closed'), wait(500, 'waiting')])).toBe('waiting');
    expect(journal.of('close')).toEqual([]);
    unused.destroy();
    await closing;
    expect(journal.of('close')).toEqual(['close main']);
  });

  it('cuts off handlers at work with forceCloseConnections', async () => {
    const app = await NestFactory.create(moduleOf({ controllers: [Pages] }), {
      forceCloseConnections: true,
      logger: false,
    });
    await app.listen(0, '127.0.0.1');
    const busy = await openSocket(app);
    const answer = text(busy).catch(() => 'cut off');
    busy.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await request(app, '/');

    await app.close();
    expect(await answer).not.toContain('done');
  });

  it('leaves it to the caller to close the clients when listening fails', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const journal = new Journal();
    const main = journal.client('main', {}, { eager: true });
    const app = await NestFactory.create(moduleOf({ imports: [clientsOf({ main })] }), { logger: false });
    const { port } = taken.address() as AddressInfo;

    expect(await rejection(app.listen(port, '127.0.0.1'))).toMatchObject({ code: 'EADDRINUSE' });
    expect(journal.entries).toEqual(['create main', 'connect main']);
    await app.close();
    expect(journal.of('close')).toEqual(['close main']);
  });

  it('ends an event stream', async () => {
    const { TicksController } = await runExample<{ TicksController: Type }>(PAGE, 'TicksController');
    const app = await bootApp({ controllers: [TicksController] }, { listen: true });
    const response = await request(app, '/ticks');
    const stream = response.text();

    expect(await closesSoon(app)).toBe(true);
    expect(typeof (await stream)).toBe('string');
  });

  it('builds a client in the invocation of a function that needs it', async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.close());
    onTestFinished(() => closeAllClients());
    const { handler } = await runExample<{ handler: (event: { customer: string }) => Promise<number> }>(
      PAGE,
      'handler',
      {
        [LOCAL]: server.url,
      },
    );

    expect(await handler({ customer: 'ada' })).toBe(1);
    expect(await handler({ customer: 'ada' })).toBe(2);
  });

  it('counts keys in a script, which closes its connection', async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.close());
    const { countKeys } = await runExample<{ countKeys: () => Promise<number> }>(PAGE, 'countKeys', {
      [LOCAL]: server.url,
    });
    const sockets = (): number => process.getActiveResourcesInfo().filter((type) => type === 'TCPSocketWrap').length;
    const before = sockets();

    expect(await countKeys()).toBe(0);
    await vi.waitFor(() => expect(sockets()).toBe(before));
  });

  it('shares one client among the applications of a process', async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.close());
    const { shared } = await runExample<{ shared: { redis: ClientDefinition<Redis> } }>(PAGE, 'shared', {
      [LOCAL]: server.url,
    });
    const apps = await Promise.all([
      bootApp({ imports: [clientsOf(shared)] }),
      bootApp({ imports: [clientsOf(shared)] }),
    ]);
    const [one, other] = await Promise.all(apps.map((app) => registryOf(app).get('redis')));

    expect(one).toBe(other);
  });

  it('declares clients whose closing is limited', async () => {
    const { ServiceModule } = await runExample<{ ServiceModule: Type }>(PAGE, 'ServiceModule');
    const app = await bootApp(ServiceModule);

    expect(registryOf(app).status()).toMatchObject([{ name: 'redis', state: 'idle' }]);
  });
});
