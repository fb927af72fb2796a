import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { certificates, makeCertificate } from '../support/certificate.js';
import { DrainApp, type Platform } from '../support/drain-app.js';
import { requestTo, type RawConnection } from '../support/raw-connection.js';
import { describeWithRedis, startRedisServer } from '../support/redis-server.js';
import type { ServiceSettings } from './apps/service.js';
import { startApp } from './support/app-process.js';
import { startDynamoDBEndpoint, TABLE } from './support/dynamodb-endpoint.js';
import { isSuccess, startLoad, tally } from './support/load.js';
import { milliseconds, record, seconds } from './support/record.js';

const CONNECTIONS = 50;
/** Milliseconds of load before the signal and after it, because clients do not know that a server is shutting down. */
const LOAD_TIME = 1_500;

describeWithRedis('SIGTERM under load', () => {
  const SERVERS = [
    { name: 'Express', platform: 'Express', turnsAway: false },
    { name: 'Fastify', platform: 'Fastify', turnsAway: true },
    { name: 'Fastify without return503OnClosing', platform: 'Fastify', turnsAway: false },
  ] as const;
  const CASES = SERVERS.flatMap((server) =>
    [true, false].map((keepAlive) => [server.name, keepAlive, server] as const),
  );

  it.each(CASES)(
    'fails no accepted request and sends no write twice: %s, with keep-alive: $1',
    async (serverName, keepAlive, { platform, turnsAway }) => {
      await using redis = await startRedisServer();
      await using endpoint = await startDynamoDBEndpoint();
      endpoint.proxy.delay(15); // so that writes are in flight when the signal comes
      const folder = await mkdtemp(join(tmpdir(), 'drain-'));
      const acceptedFile = join(folder, 'accepted.json');
      const settings: ServiceSettings = {
        redis: { port: redis.port },
        dynamodb: endpoint.clientConfig,
        table: TABLE,
        key: 'visits',
        platform,
        fastify: { return503OnClosing: turnsAway },
        acceptedFile,
      };
      await using app = startApp('service', { settings });
      const load = startLoad(`${await app.says<string>('listening')}/visits`, { connections: CONNECTIONS, keepAlive });
      await delay(LOAD_TIME);
      const signalledAt = performance.now();
      app.signal('SIGTERM');
      await Promise.race([app.exited, delay(LOAD_TIME)]);
      const answers = await load.stop();
      const exit = await app.exited;

      const accepted = JSON.parse(await readFile(acceptedFile, 'utf8')) as string[];
      await rm(folder, { recursive: true });
      const byId = new Map(answers.map((answer) => [answer.id, answer]));
      const failed = accepted.filter((id) => !isSuccess(byId.get(id)!));
      const twice = [...endpoint.puts].filter(([, count]) => count > 1);
      const inFlight = answers.filter(({ from, to }) => from < signalledAt && to > signalledAt).length;

      expect(failed.map((id) => byId.get(id))).toEqual([]);
      expect(twice).toEqual([]);
      // No answer was an error, apart from the 503 with which Fastify refuses requests before they are accepted.
      const refused = turnsAway ? answers.filter(({ outcome }) => outcome === 503) : [];
      const errors = answers.filter((answer) => Number(answer.outcome) >= 300 && !refused.includes(answer));
      expect(tally(errors)).toEqual({});
      expect(refused.filter(({ id, to }) => accepted.includes(id) || to < signalledAt)).toEqual([]);
      expect(new Set(endpoint.puts.keys())).toEqual(new Set(accepted));
      expect(Number(await redis.command('GET', 'visits'))).toBe(accepted.length);
      expect(inFlight).toBeGreaterThan(CONNECTIONS / 2);
      expect(exit).toMatchObject({ code: 0 });
      expect(app.said('crash')).toEqual([]);
      await redis.clients(0);
      for (const name of ['redis', 'dynamodb']) {
        expect(app.lines.filter((line) => line.includes(`Client "${name}" closed in`))).toHaveLength(1);
      }
      const { ECONNRESET: reset = 0 } = tally(answers); // before the request was accepted, as asserted above
      const requests = `${accepted.length.toLocaleString('en')} accepted, ${inFlight} in flight at SIGTERM`;
      const outcome = `0 failed, 0 writes twice; ${reset} reset before they were accepted`;
      const turnedAway = turnsAway ? `, ${refused.length} turned away by Fastify with 503` : '';
      const kind = keepAlive ? 'keep-alive' : 'a connection a request';
      record(
        'drain',
        `${serverName}, ${kind}: ${requests}: ${outcome}${turnedAway}; exit after ${seconds(exit.at - signalledAt)}`,
      );
    },
  );
});

/** The timeout of `HttpDrainModule` in the tests below, in milliseconds. */
const TIMEOUT = 2_000;

@WebSocketGateway({ path: '/live' })
class LiveGateway implements OnGatewayConnection {
  handleConnection(client: WebSocket): void {
    client.send('welcome');
  }
}

interface Kind {
  readonly name: string;
  /** Opens the connection, and brings it into the state in which shutdown finds it. */
  readonly open: (service: DrainApp) => Promise<RawConnection>;
  /** What the client does after shutdown has begun, within half of the timeout. */
  readonly afterwards?: (connection: RawConnection, service: DrainApp) => Promise<void>;
  /** The status codes of the answers that must arrive completely. */
  readonly answers: readonly number[];
  /** The expected log line; `undefined` if the connection ends before the timeout. */
  readonly cut?: string;
}

const ask = async (service: DrainApp, bytes: string, held = 0): Promise<RawConnection> => {
  const connection = await service.connect();
  await connection.send(bytes);
  await service.untilHeld(held);
  return connection;
};
const BODY = JSON.stringify({ text: 'x'.repeat(100_000) });
const UPLOAD = `POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n`;
const later = (bytes: string) => async (connection: RawConnection) => {
  await delay(TIMEOUT / 2);
  await connection.send(bytes);
};
const releaseLater = async (_: RawConnection, service: DrainApp): Promise<void> => {
  await delay(TIMEOUT / 2);
  service.release.resolve();
};

const KINDS: readonly Kind[] = [
  { name: 'silent', open: (service) => service.connect(), answers: [] },
  { name: 'kept alive, idle', open: (service) => service.connectAndAsk(), answers: [200] },
  {
    name: 'kept alive, busy',
    open: async (service) => {
      const connection = await service.connectAndAsk();
      await connection.sendRequest('/held');
      await service.untilHeld(1);
      return connection;
    },
    afterwards: releaseLater,
    answers: [200, 200],
  },
  {
    name: 'three requests at once',
    open: (service) => ask(service, requestTo('/held') + requestTo('/held') + requestTo('/hello'), 2),
    afterwards: releaseLater,
    answers: [200, 200, 200],
  },
  {
    name: 'half-sent headers, the rest later',
    open: (service) => ask(service, 'GET /hello HTTP/1.1\r\nHost: '),
    afterwards: later('a\r\n\r\n'),
    answers: [200],
  },
  {
    name: 'half-sent headers, no rest',
    open: (service) => ask(service, 'GET /hello HTTP/1.1\r\nHost: '),
    answers: [],
    cut: '1 without a whole HTTP/1 request',
  },
  {
    name: 'upload in progress, the rest later',
    open: (service) => ask(service, UPLOAD + BODY.slice(0, 60_000)),
    afterwards: later(BODY.slice(60_000)),
    answers: [201],
  },
  {
    name: 'upload in progress, no rest',
    open: (service) => ask(service, UPLOAD + BODY.slice(0, 60_000)),
    answers: [],
    cut: 'POST /upload',
  },
  {
    name: 'slow handler',
    open: (service) => ask(service, requestTo('/held'), 1),
    afterwards: releaseLater,
    answers: [200],
  },
  {
    name: 'handler without an end',
    open: (service) => ask(service, requestTo('/held?token=s3cret'), 1),
    answers: [],
    cut: 'GET /held',
  },
  {
    name: 'event stream',
    open: async (service) => {
      const connection = await ask(service, requestTo('/events?token=s3cret'));
      await connection.until(/begun/);
      return connection;
    },
    answers: [200],
    cut: 'GET /events',
  },
];

const certificate = certificates.available ? makeCertificate() : undefined;
const SERVERS = (['Express', 'Fastify'] as const).flatMap((platform) =>
  (certificate ? ['http', 'https'] : ['http']).map((protocol) => ({ platform, protocol })),
);
const startOn = (platform: Platform, protocol: string): Promise<DrainApp> =>
  DrainApp.start({
    platform,
    drain: { timeout: TIMEOUT },
    providers: [LiveGateway],
    prepare: (app: INestApplication) => void app.useWebSocketAdapter(new WsAdapter(app)),
    ...(protocol === 'https' && certificate && { certificate }),
  });

describe('shutdown with HttpDrainModule', () => {
  it.each(KINDS.map((kind) => [kind.name, kind] as const))(
    'loses no answer and ends in time: %s',
    async (_, { name, open, afterwards, answers, cut }) => {
      const times: number[] = [];
      for (const { platform, protocol } of SERVERS) {
        const service = await startOn(platform, protocol);
        const connection = await open(service);
        await service.connectAndAsk(); // when this is answered, the server has read what the other connection has sent
        const closing = service.close();
        await afterwards?.(connection, service);
        const took = await closing;
        await connection.ended;

        const where = `${platform}, ${protocol}`;
        expect([where, connection.statuses]).toEqual([where, answers]);
        expect([where, service.lines]).toEqual([
          where,
          cut === undefined
            ? []
            : [
                `warn: Cut off 1 connection that was still open ${TIMEOUT} ms after shutdown began: ${cut} HttpDrainModule`,
              ],
        ]);
        expect(took).toBeLessThan(TIMEOUT + 500);
        if (cut !== undefined) expect(took).toBeGreaterThan(TIMEOUT - 20);
        expect(service.journal.of('close')).toEqual(['close main']);
        times.push(took);
      }
      const statuses = answers.length > 0 ? `${answers.join(', ')}; ` : '';
      const range = [Math.min(...times), Math.max(...times)].map(milliseconds).join(' to ');
      record('drainKinds', `${name}: ${statuses}closed in ${range}${cut === undefined ? '' : `, cut: "${cut}"`}`);
    },
  );

  it('cuts a WebSocket at the timeout', async () => {
    const times: number[] = [];
    for (const { platform, protocol } of SERVERS) {
      const service = await startOn(platform, protocol);
      const socket = new WebSocket(`${service.url.replace('http', 'ws')}/live`, { rejectUnauthorized: false });
      onTestFinished(() => socket.terminate());
      await once(socket, 'message');
      const closed = once(socket, 'close');
      const took = await service.close();
      await closed;

      expect(took).toBeGreaterThan(TIMEOUT - 20);
      expect(took).toBeLessThan(TIMEOUT + 500);
      expect(service.lines).toEqual([expect.stringContaining(': GET /live (upgraded to websocket) ')]);
      times.push(took);
    }
    const range = [Math.min(...times), Math.max(...times)].map(milliseconds).join(' to ');
    record('drainKinds', `WebSocket of a gateway: closed in ${range}, cut: "GET /live (upgraded to websocket)"`);
  });
});

describe('shutdown without HttpDrainModule', () => {
  it('logs after 10 s what it waits for', async () => {
    const service = await DrainApp.start({ drain: false });
    const silent = await service.connect();
    const start = performance.now();
    const closing = service.close();
    const warning = (): string | undefined => service.logger.lines.find((line) => line.startsWith('warn'));
    while (!warning()) await delay(20);
    const warnedAfter = performance.now() - start;
    expect(warning()).toContain('1 connection is still open');
    expect(warning()).toContain('HttpDrainModule');
    silent.socket.destroy();
    await closing;

    expect(service.logger.lines.filter((line) => line.startsWith('warn'))).toHaveLength(1);
    record('drainForever', `a silent connection: one warning after ${seconds(warnedAfter)}`);
  });
});
