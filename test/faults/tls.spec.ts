import { inspect } from 'node:util';
import type { TLSSocket } from 'node:tls';
import type { Redis } from 'ioredis';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { redisClient, type RedisClientOptions } from '../../src/redis/index.js';
import { bootApp, clientsOf, nextEvent, registryOf, rejection } from '../support/boot-app.js';
import { makeCertificate, type Certificate } from '../support/certificate.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { describeWithTls, startRedisServer } from '../support/redis-server.js';
import { closedBy, openHandles } from '../support/open-handles.js';
import { record } from './support/record.js';

const CREATE_TIMEOUT = 600;
const CLOSE_TIMEOUT = 500;
const PASSWORD = 'pa55word-of-redis';

interface Distrust {
  readonly name: string;
  /** The names in the server's certificate. */
  readonly names?: string;
  /** More arguments of the server. */
  readonly args?: readonly string[];
  readonly tls?: (server: Certificate) => RedisClientOptions['tls'];
  readonly plain?: boolean;
  readonly says: RegExp;
}

const DISTRUSTS: readonly Distrust[] = [
  { name: 'nobody vouches for the certificate', says: /^self-signed certificate$/ },
  {
    name: 'another authority vouches for it',
    tls: () => ({ ca: makeCertificate().cert }),
    says: /^self-signed certificate$/,
  },
  {
    name: 'it is for another host',
    names: 'DNS:elsewhere.internal',
    tls: ({ cert }) => ({ ca: cert }),
    says: /does not match certificate's altnames/,
  },
  {
    name: 'the server wants one of the client',
    args: ['--tls-auth-clients', 'yes'],
    tls: ({ cert }) => ({ ca: cert }),
    says: /certificate required|ECONNRESET|EPIPE/, // the server may hang up while the client is still sending
  },
  // A Redis waits for the rest of what it takes for the beginning of a command.
  { name: 'the server speaks no TLS', plain: true, says: /^connect ETIMEDOUT$/ },
];

describeWithTls('a Redis that speaks TLS', () => {
  let trusted = 0;
  let distrusted = 0;

  it('serves a client that is given a rediss:// URL, and closes its connection', async () => {
    const certificate = makeCertificate();
    await using server = await startRedisServer({ certificate, password: PASSWORD });
    const before = openHandles();
    const url = `rediss://:${PASSWORD}@127.0.0.1:${server.tlsPort}/1`;
    const clients = {
      redis: redisClient({ url, tls: { ca: certificate.cert } }, { eager: true, waitUntilReady: true }),
    };
    const app = await bootApp({ imports: [clientsOf(clients)] });
    const registry = registryOf(app);
    const client = (await registry.get('redis')) as Redis;

    expect((client.stream as TLSSocket).authorized).toBe(true);
    expect(await client.set('a', 1)).toBe('OK');
    expect(await registry.check('redis')).toMatchObject({ status: 'up' });
    expect(await server.clientCount()).toBe(1);
    await app.close();

    expect(client.status).toBe('end');
    expect(await closedBy(performance.now() + CLOSE_TIMEOUT, before)).toEqual([]);
    await server.clients(0);
    trusted += 1;
  });

  it.each(DISTRUSTS.map((distrust) => [distrust.name, distrust] as const))(
    'is refused, with an error that says why and no credential: %s',
    async (_, { names, args = [], tls, plain, says }) => {
      const certificate = makeCertificate(names);
      await using server = await startRedisServer({ certificate, password: PASSWORD, args });
      const before = openHandles();
      const options = {
        url: `rediss://:${PASSWORD}@127.0.0.1:${plain ? server.port : server.tlsPort}`,
        connectTimeout: 300,
        ...(tls && { tls: tls(certificate) }),
      };
      const logger = new RecordingLogger();
      const app = await bootApp(
        { imports: [clientsOf({ redis: redisClient(options, { closeTimeout: CLOSE_TIMEOUT }) })] },
        { logger },
      );
      onTestFinished(() => app.useLogger(false));
      const registry = registryOf(app);
      const reported = nextEvent(registry, 'error', 'redis');
      const client = (await registry.get('redis')) as Redis;
      const { error } = await reported;
      const status = registry.status();
      const [command, health] = await Promise.all([rejection(client.get('a')), registry.check('redis'), app.close()]);

      expect(error.message).toMatch(says);
      expect(status[0]?.lastError?.message).toMatch(says);
      expect(logger.ownLines.filter((line) => line.includes(error.message))).toHaveLength(1);
      const seen = { error, command: command.message, health, status: [...status, ...registry.status()], logger };
      expect(inspect(seen, { depth: 10, showHidden: true })).not.toContain(PASSWORD);
      expect(client.status).toBe('end');
      expect(await closedBy(performance.now() + CLOSE_TIMEOUT, before)).toEqual([]);
      await server.clients(0);

      const ready = { waitUntilReady: true, eager: true, createTimeout: CREATE_TIMEOUT } as const;
      const failed = await rejection(bootApp({ imports: [clientsOf({ redis: redisClient(options, ready) })] }));
      expect(failed).toMatchObject({ code: 'CLIENTS_CREATE_TIMEOUT' });
      expect(failed.message).toMatch(new RegExp(says.source.replaceAll(/[$^]/g, '')));
      expect(inspect(failed, { depth: 10, showHidden: true })).not.toContain(PASSWORD);
      expect(await closedBy(performance.now() + CLOSE_TIMEOUT, before)).toEqual([]);
      distrusted += 1;
    },
  );

  afterAll(() =>
    record(
      'tls',
      `${trusted} trusted: connected, ready, closed; ${distrusted} refused: told by event, log, status and CLIENTS_CREATE_TIMEOUT, without the password; 0 connections, 0 sockets`,
    ),
  );
});
