import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody, SubscribeMessage, WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import { Test } from '@nestjs/testing';
import { WsAdapter } from '@nestjs/platform-ws';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { HttpDrain, HttpDrainModule } from '../../src/http/index.js';
import { moduleOf, thrown } from '../support/boot-app.js';
import { DrainApp } from '../support/drain-app.js';
import { RawConnection, requestTo } from '../support/raw-connection.js';
import { RecordingLogger } from '../support/recording-logger.js';

const PLATFORMS = ['Express', 'Fastify'] as const;
/** Milliseconds in which a shutdown ends that waits for nothing. */
const SOON = 1_000;

@WebSocketGateway({ path: '/live' })
class LiveGateway implements OnGatewayConnection {
  handleConnection(client: WebSocket): void {
    client.send('welcome');
  }

  @SubscribeMessage('echo')
  echo(@MessageBody() data: string) {
    return { event: 'echo', data };
  }
}

async function connectWebSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'));
  onTestFinished(() => socket.terminate());
  await once(socket, 'message');
  return socket;
}

async function echoed(socket: WebSocket, data: string): Promise<string> {
  const message = once(socket, 'message') as Promise<[Buffer]>;
  socket.send(JSON.stringify({ event: 'echo', data }));
  return String((await message)[0]);
}

/** Adds a handler to Nest's own server that answers as the test likes, and leaves the other paths to Nest. */
function answer(app: INestApplication, path: string, respond: RequestListener): void {
  app.use(path, respond);
}

describe('HttpDrainModule', () => {
  describe('.forRoot', () => {
    it.each([
      ['a number', 5, 'it takes an object: { timeout: 15_000 }, or nothing'],
      ['null', null, 'it takes an object: { timeout: 15_000 }, or nothing'],
      ['an array', [], 'it takes an object: { timeout: 15_000 }, or nothing'],
      ['another option', { timeOut: 5 }, '"timeOut" is not an option; the option is timeout'],
      ['no time', { timeout: 0 }, '"timeout" must be a number of milliseconds from 1 to 2147483647'],
      ['a text', { timeout: '5s' }, '"timeout" must be a number of milliseconds from 1 to 2147483647'],
      ['not a number', { timeout: NaN }, '"timeout" must be a number of milliseconds from 1 to 2147483647'],
      [
        'more than a timer takes',
        { timeout: 2 ** 31 },
        '"timeout" must be a number of milliseconds from 1 to 2147483647',
      ],
    ])('refuses %s', (_, options, problem) => {
      const error = thrown(() => HttpDrainModule.forRoot(options as never));

      expect(error).toMatchObject({
        code: 'CLIENTS_INVALID_OPTIONS',
        message: `HttpDrainModule.forRoot(): ${problem}.`,
      });
    });

    it.each([undefined, {}, { timeout: 1 }, { timeout: undefined as never }])('takes $0', (options) => {
      expect(HttpDrainModule.forRoot(options)).toMatchObject({ module: HttpDrainModule });
    });
  });

  describe.each(PLATFORMS)('on %s', (platform) => {
    it('closes idle connections at once, and waits for the answers that are owed, with clients open', async () => {
      const service = await DrainApp.start({ platform });
      const [idle, busy] = [await service.connectAndAsk(), await service.connectAndAsk()];
      await busy.sendRequest('/held');
      await service.untilHeld(1);

      const closing = service.close();
      await idle.ended;
      expect(busy.isOpen).toBe(true);
      expect(service.journal.of('close')).toEqual([]);
      service.release.resolve();
      await closing;
      await busy.ended;

      expect(busy.received).toMatch(/\{held\}$/);
      expect(busy.connectionHeaders).toEqual(['keep-alive', 'close']);
      expect(service.journal.of('close')).toEqual(['close main']);
      expect(service.lines).toEqual([]);
    });

    it('answers every request that has come, the last with "Connection: close"', async () => {
      const service = await DrainApp.start({ platform });
      const pipelining = await service.connect();
      await pipelining.send(requestTo('/held') + requestTo('/held') + requestTo('/held'));
      await service.untilHeld(3);

      const closing = service.close();
      service.release.resolve();
      await closing;
      await pipelining.ended;

      expect(pipelining.statuses).toEqual([200, 200, 200]);
      expect(pipelining.connectionHeaders).toEqual(['keep-alive', 'keep-alive', 'close']);
    });

    it('answers a request that comes behind another one during shutdown', async () => {
      const service = await DrainApp.start({ platform });
      const [pipelining, idle] = [await service.connect(), await service.connectAndAsk()];
      await pipelining.sendRequest('/held');
      await service.untilHeld(1);

      const closing = service.close();
      await idle.ended;
      await pipelining.sendRequest('/held');
      await service.untilHeld(2);
      service.release.resolve();
      await closing;
      await pipelining.ended;

      expect(pipelining.statuses).toEqual([200, 200]);
      expect(pipelining.connectionHeaders).toEqual(['keep-alive', 'close']);
    });

    it('waits for a request of which a part has come', async () => {
      const service = await DrainApp.start({ platform });
      const [half, kept, idle] = [
        await service.connect(),
        await service.connectAndAsk(),
        await service.connectAndAsk(),
      ];
      const [start, rest] = [requestTo('/hello').slice(0, 25), requestTo('/hello').slice(25)];
      await Promise.all([half.send(start), kept.send(start)]);

      const closing = service.close();
      await idle.ended;
      await delay(600); // longer than a connection may be silent
      await Promise.all([half.send(rest), kept.send(rest)]);
      await closing;
      await Promise.all([half.ended, kept.ended]);

      expect([half.statuses, kept.statuses]).toEqual([[200], [200, 200]]);
      expect(kept.connectionHeaders).toEqual(['keep-alive', 'close']);
    });

    it('waits a moment for the request of a connection that has just been opened', async () => {
      const service = await DrainApp.start({ platform });
      const [silent, late, busy] = [await service.connect(), await service.connect(), await service.connect()];
      await busy.sendRequest('/held');
      await service.untilHeld(1);

      const closing = service.close();
      await late.sendRequest('/hello');
      await late.ended;
      await silent.ended;
      service.release.resolve();
      await closing;

      expect(late.statuses).toEqual([200]);
      expect(silent.received).toBe('');
      expect(service.lines).toEqual([]);
    });

    it('cuts what is left at the timeout, says so in one line, and then has the clients closed', async () => {
      const service = await DrainApp.start({ platform, drain: { timeout: 700 } });
      const paths = ['/held?token=s3cret', '/held', '/events?key=s3cret'];
      const connections = await Promise.all([...paths, ''].map(() => service.connect()));
      for (const [index, path] of paths.entries()) await connections[index]?.sendRequest(path);
      await connections[2]?.until(/begun/);
      await connections[3]?.send('GET /unfinished?key=s3cret');
      await service.untilHeld(2);

      const took = await service.close();
      await Promise.all(connections.map(({ ended }) => ended));

      expect(took).toBeGreaterThan(690);
      expect(took).toBeLessThan(700 + SOON);
      expect(service.lines).toEqual([
        'warn: Cut off 4 connections that were still open 700 ms after shutdown began: ' +
          'GET /held (2), GET /events, 1 without a whole HTTP/1 request HttpDrainModule',
      ]);
      expect(service.journal.of('close')).toEqual(['close main']);
    });

    it('leaves WebSockets open until the timeout', async () => {
      const prepare = (app: INestApplication) => void app.useWebSocketAdapter(new WsAdapter(app));
      const service = await DrainApp.start({ platform, drain: { timeout: 900 }, providers: [LiveGateway], prepare });
      const socket = await connectWebSocket(`${service.url}/live?token=s3cret`);
      const idle = await service.connectAndAsk();

      const closing = service.close();
      const closed = once(socket, 'close');
      await idle.ended;
      expect(await echoed(socket, 'still there')).toContain('still there');
      const took = await closing;
      await closed;

      expect(took).toBeGreaterThan(890);
      expect(took).toBeLessThan(900 + SOON);
      expect(service.lines).toEqual([
        'warn: Cut off 1 connection that was still open 900 ms after shutdown began: ' +
          'GET /live (upgraded to websocket) HttpDrainModule',
      ]);
    });

    it('does not wait for WebSockets that their clients close', async () => {
      const prepare = (app: INestApplication) => void app.useWebSocketAdapter(new WsAdapter(app));
      const service = await DrainApp.start({ platform, providers: [LiveGateway], prepare });
      const socket = await connectWebSocket(`${service.url}/live`);
      const idle = await service.connectAndAsk();

      const closing = service.close();
      await idle.ended;
      socket.close();

      expect(await closing).toBeLessThan(SOON);
      expect(service.lines).toEqual([]);
    });

    it('sends a slow client the whole of an answer that the handler has ended', async () => {
      const size = 20_000_000;
      const service = await DrainApp.start({
        platform,
        prepare: (app) => answer(app, '/big', (_, response) => response.end(Buffer.alloc(size, 'x'))),
      });
      const slow = await service.connect();
      await slow.sendRequest('/big');
      await once(slow.socket, 'data');
      slow.socket.pause();
      const idle = await service.connectAndAsk();

      const closing = service.close();
      await idle.ended;
      slow.socket.resume();
      await closing;
      await slow.ended;

      expect(slow.received.length).toBeGreaterThan(size);
    });

    it('serves an upgrade that nobody listens to like any other request', async () => {
      const service = await DrainApp.start({ platform });
      const connection = await service.connect();
      await connection.sendRequest('/hello', 'Connection: Upgrade\r\nUpgrade: websocket\r\n');
      await connection.until(/\{hello\}$/);

      expect(connection.statuses).toEqual([200]);
      expect(service.server.listenerCount('upgrade')).toBe(0);
    });
  });

  it('stops listening to upgrades when the last other listener does', async () => {
    const service = await DrainApp.start();
    const [one, other] = [() => {}, () => {}];
    service.server.on('upgrade', one);
    service.server.once('upgrade', other);
    expect(service.server.listenerCount('upgrade')).toBe(3);
    service.server.off('upgrade', one);
    expect(service.server.listenerCount('upgrade')).toBe(2);
    service.server.removeAllListeners('upgrade');
    expect(service.server.listenerCount('upgrade')).toBe(0);
    service.server.on('upgrade', one);
    expect(service.server.listenerCount('upgrade')).toBe(2);
  });

  it('names at most ten requests, by method and path', async () => {
    const service = await DrainApp.start({
      drain: { timeout: 600 },
      prepare: (app) => answer(app, '/x', (request) => void (request.url?.includes('last') && service.hold())),
    });
    const paths = Array.from({ length: 11 }, (_, index) => `/x/${index}`);
    const odd = [`/x/${'a'.repeat(200)}`, 'http://user:s3cret@host/x/absolute?q#f', '/x?q=s3cret', '/x/last'];
    for (const path of [...odd, ...paths]) await (await service.connect()).sendRequest(path);
    await service.untilHeld(1);
    await service.connectAndAsk();
    await service.close();

    const [line = ''] = service.lines;
    expect(line).toContain('Cut off 15 connections');
    expect(line).toMatch(/: GET \/x\/a{97}…, GET \/x\/absolute, GET \/x, GET \/x\/last, GET \/x\/0, /);
    expect(line).toContain('GET /x/5, 5 other requests HttpDrainModule');
    expect(line).not.toContain('s3cret');
  });

  it('logs no byte that a terminal could take for a command', async () => {
    const service = await DrainApp.start({ drain: { timeout: 600 } });
    service.server.on('upgrade', () => {});
    const connection = await service.connect();
    connection.socket.write(
      'GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: \u009b31m\r\n\r\n',
      'latin1',
    );
    await service.connectAndAsk();
    await service.close();

    expect(service.lines).toEqual([expect.stringContaining(': GET /x (upgraded to ?31m) HttpDrainModule')]);
  });

  it('lets sessions of HTTP/2 end with their last answer, and cuts them at the timeout', async () => {
    for (const isReleased of [true, false]) {
      const service = await DrainApp.start({ platform: 'Fastify', http2: true, drain: { timeout: 800 } });
      const [busy, idle] = [connectHttp2(service.url), connectHttp2(service.url)];
      onTestFinished(() => [busy, idle].forEach((session) => session.destroy()));
      busy.on('error', () => {});
      await Promise.all([once(busy, 'connect'), once(idle, 'connect')]);
      const stream = busy.request({ ':path': '/held' });
      const body = text(stream).catch(() => '');
      await service.untilHeld(1);

      const closing = service.close();
      await once(idle, 'close');
      if (isReleased) service.release.resolve();
      const took = await closing;

      expect(await body).toBe(isReleased ? '{held}' : '');
      expect(took > 790).toBe(!isReleased);
      expect(service.lines).toHaveLength(isReleased ? 0 : 1);
      expect(service.journal.of('close')).toEqual(['close main']);
    }
  });

  it('ends under fake timers', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const service = await DrainApp.start();
    await service.app.close();

    expect(service.journal.of('close')).toEqual(['close main']);
  });

  describe('in an application', () => {
    it('counts the longest timeout when it is imported more than once', async () => {
      const other = moduleOf({ imports: [HttpDrainModule.forRoot({ timeout: 900 }), HttpDrainModule] }, 'Other');
      const service = await DrainApp.start({ drain: { timeout: 100 }, imports: [other] });
      const stream = await service.connect();
      await stream.sendRequest('/events');
      await stream.until(/begun/);

      expect(await service.close()).toBeGreaterThan(890);
      expect(service.lines).toHaveLength(1);
    });

    it('has one drain for all who import it', async () => {
      const service = await DrainApp.start({ imports: [HttpDrainModule] });

      expect(service.app.get(HttpDrain)).toBeInstanceOf(HttpDrain);
      expect(service.server.listeners('request')).toHaveLength(2); // Express, and one drain
    });

    it('lets it close twice, one after the other and at once', async () => {
      const service = await DrainApp.start();
      await service.connectAndAsk();
      await Promise.all([service.app.close(), service.app.close()]);
      await service.app.close();

      expect(service.journal.of('close')).toEqual(['close main']);
    });

    it('needs no server that listens', async () => {
      const app = await NestFactory.create(moduleOf({ imports: [HttpDrainModule.forRoot()] }), { logger: false });
      await app.init();
      const start = performance.now();
      await app.close();

      expect(performance.now() - start).toBeLessThan(SOON);
    });

    it('drains a server that somebody else has made listen', async () => {
      const app = await NestFactory.create(moduleOf({ imports: [HttpDrainModule.forRoot()] }), { logger: false });
      await app.init();
      const server = app.getHttpServer() as Server;
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const idle = await RawConnection.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      await idle.sendRequest('/none');
      await idle.until(/404/);
      const start = performance.now();
      await app.close();
      await idle.ended;

      expect(performance.now() - start).toBeLessThan(SOON);
    });

    it('needs no server at all', async () => {
      const context = await NestFactory.createApplicationContext(moduleOf({ imports: [HttpDrainModule] }), {
        logger: false,
      });
      await context.close();
      const testing = await Test.createTestingModule({ imports: [HttpDrainModule.forRoot()] }).compile();
      await testing.init();
      await testing.close();

      expect(context.get(HttpDrain)).toBeInstanceOf(HttpDrain);
    });

    it('drains the application of a testing module', async () => {
      const testing = await Test.createTestingModule({ imports: [HttpDrainModule.forRoot()] }).compile();
      const app = testing.createNestApplication();
      const logger = new RecordingLogger();
      app.useLogger(logger);
      await app.listen(0, '127.0.0.1');
      const idle = await RawConnection.open(`http://127.0.0.1:${new URL(await app.getUrl()).port}`);
      await idle.sendRequest('/none');
      await idle.until(/404/);
      await app.close();
      await idle.ended;

      expect(logger.lines.filter((line) => line.startsWith('warn'))).toEqual([]);
    });

    it('drains and closes another server that it watches, with clients open until then', async () => {
      const service = await DrainApp.start();
      const server = createServer(service.app.getHttpAdapter().getInstance() as RequestListener);
      service.app.get(HttpDrain).watch(server);
      service.app.get(HttpDrain).watch(server);
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const busy = await RawConnection.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      await busy.sendRequest('/held');
      await service.untilHeld(1);

      const closing = service.close();
      await once(service.server, 'close');
      expect(server.listening).toBe(false);
      expect(service.journal.of('close')).toEqual([]);
      service.release.resolve();
      await closing;
      await busy.ended;

      expect(busy.received).toMatch(/connection: close\r\n[^]*\{held\}$/i);
      expect(service.journal.of('close')).toEqual(['close main']);
    });
  });
});
