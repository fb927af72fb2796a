import { createServer } from 'node:http';
import { inspect } from 'node:util';
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { afterAll, expect, it, onTestFinished, vi } from 'vitest';
import { configurableClient } from '../../src/definition/configurable-client.js';
import { defineClient, type ClientDefinition, type ClientDefinitions } from '../../src/index.js';
import { dynamoDBClient } from '../../src/dynamodb/index.js';
import { redisClient, redisCluster } from '../../src/redis/index.js';
import { listen } from '../../src/testing/listen.js';
import { bootApp, clientsOf, recordEvents, registryOf, request } from '../support/boot-app.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { describeWithRedis, freePort, startRedisServer } from '../support/redis-server.js';
import { startDynamoDBEndpoint } from './support/dynamodb-endpoint.js';
import { healthModule } from './support/health-module.js';
import { record } from './support/record.js';

/** Every secret contains it and a number of its own, so that a find shows which secret got out. */
const CANARY = 'canary-5ecret';
let secrets = 0;
const secret = (): string => `${CANARY}-${(secrets += 1)}`;
const user = (): string => `${CANARY}-user-${(secrets += 1)}`;

/** Every form in which somebody may see a value. */
function forms(value: unknown): string {
  const parts: unknown[] = [inspect(value, { depth: 10, showHidden: true }), stringify(value), String(value)];
  const seen = new Set<unknown>();
  for (let error = value; error instanceof Error && !seen.has(error); error = error.cause) {
    seen.add(error);
    parts.push(
      error.name,
      error.message,
      error.stack,
      stringify(error),
      inspect(error, { depth: 10, showHidden: true }),
    );
  }
  return parts.map(String).join('\n');
}

function stringify(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item)) ?? '';
}

/** The position in a text of base64 that contains the canary, or -1. */
function findInBase64(text: string): number {
  for (const { 0: run, index } of text.matchAll(/[\w+/=-]{16,}/g)) {
    for (const offset of [0, 1, 2, 3]) {
      if (Buffer.from(run.slice(offset), 'base64').includes(CANARY)) return index;
    }
  }
  return -1;
}

let looks = 0;
function expectClean(value: unknown, where: string): void {
  looks += 1;
  const text = forms(value);
  const at = Math.max(text.indexOf(CANARY), findInBase64(text));
  expect(at === -1 ? '' : `${where}: …${text.slice(Math.max(0, at - 200), at + 100)}…`).toBe('');
}

describeWithRedis('a secret in the options', () => {
  let clientsSeen = 0;

  /** Takes clients through boot, a failing use, health checks and close, and searches everything that becomes visible. */
  async function expectNoLeak(clients: ClientDefinitions, waitForErrors = true): Promise<void> {
    const logger = new RecordingLogger();
    const printed = [
      vi.spyOn(console, 'error').mockImplementation(() => {}),
      vi.spyOn(console, 'warn').mockImplementation(() => {}),
      vi.spyOn(console, 'log').mockImplementation(() => {}),
      vi.spyOn(process, 'emitWarning').mockImplementation(() => {}),
    ];
    onTestFinished(() => printed.forEach((spy) => spy.mockRestore()));
    const app = await bootApp(
      { imports: [clientsOf(clients), healthModule(500, { logger: RecordingLogger })] },
      { logger, listen: true },
    );
    onTestFinished(() => app.useLogger(false));
    const registry = registryOf(app);
    const events = recordEvents(registry);
    const names = Object.keys(clients);
    clientsSeen += names.length;
    const outcomes = await Promise.all(
      names.map((name) =>
        registry.get(name).then(
          () => undefined,
          (error: unknown) => error,
        ),
      ),
    );
    outcomes.forEach((error, index) => expectClean(error, `get ${names[index]}`));
    for (const name of names) expectClean(await registry.check(name, { timeout: 1_000 }), `check ${name}`);
    if (waitForErrors) {
      await expect
        .poll(
          () =>
            registry
              .status()
              .filter(({ lastError }) => !lastError)
              .map(({ name }) => name),
          { timeout: 5_000 },
        )
        .toEqual([]);
    }
    for (const name of names) expectClean(await registry.check(name, { timeout: 1_000 }), `check ${name} again`);
    expectClean(registry.status(), 'status');
    const response = await request(app, '/health');
    expectClean(await response.text(), 'health');
    await app.close();
    expectClean(await registry.close().catch((error: unknown) => error), 'close');
    expectClean(registry.status(), 'status after close');
    expectClean(await registry.get(names[0] ?? '').catch((error: unknown) => error), 'get after close');
    expect(events.length).toBeGreaterThan(0);
    for (const event of events) {
      expectClean(event, 'event');
      if ('error' in event) expectClean(event.error, 'error of event');
    }
    expectClean(logger.lines, 'log');
    for (const spy of printed) expectClean(spy.mock.calls, 'printed');
  }

  it('does not get out when Redis refuses it', async () => {
    await using server = await startRedisServer({ user: { name: 'right', password: 'right' } });
    const at = `127.0.0.1:${server.port}`;
    const encoded = encodeURIComponent(`${secret()}@/#?`);
    const retryStrategy = () => 200;
    await expectNoLeak({
      password: redisClient({ port: server.port, password: secret(), retryStrategy }),
      user: redisClient({ port: server.port, username: user(), password: secret(), retryStrategy }),
      resp2: redisClient({ port: server.port, username: user(), password: secret(), protocol: 2, retryStrategy }),
      url: redisClient({ url: `redis://:${secret()}@${at}`, retryStrategy }),
      urlWithUser: redisClient({ url: `redis://${user()}:${secret()}@${at}/1`, retryStrategy }),
      urlEncoded: redisClient({ url: `redis://${user()}:${encoded}@${at}`, retryStrategy }),
      urlQuery: redisClient({ url: `redis://${at}?password=${secret()}`, retryStrategy }),
      ready: redisClient(
        { port: server.port, password: secret(), retryStrategy },
        { waitUntilReady: true, createTimeout: 300 },
      ),
      cluster: redisCluster({
        nodes: [{ port: server.port, host: '127.0.0.1' }],
        redisOptions: { username: user(), password: secret() },
      }),
      clusterUrls: redisCluster({ nodes: [`redis://${user()}:${secret()}@${at}`] }),
      sentinel: redisClient({
        sentinels: [{ host: '127.0.0.1', port: server.port }],
        name: 'main',
        sentinelUsername: user(),
        sentinelPassword: secret(),
        password: secret(),
        sentinelRetryStrategy: retryStrategy,
      }),
    });
  });

  it('does not get out when nothing listens, or TLS fails', async () => {
    const port = await freePort();
    // An HTTP server answers a Redis command or a TLS handshake at once, with 400. A Redis would wait for more bytes.
    const server = createServer();
    onTestFinished(() => void server.close());
    const plain = (await listen(server)).port;
    const pem = (kind: string) => `-----BEGIN ${kind}-----\n${secret()}\n-----END ${kind}-----`;
    const retryStrategy = () => 200;
    await expectNoLeak({
      password: redisClient({ port, username: user(), password: secret(), retryStrategy }),
      url: redisClient({ url: `redis://${user()}:${secret()}@127.0.0.1:${port}`, retryStrategy }),
      path: redisClient({ path: '/nonexistent.sock', password: secret(), retryStrategy }),
      tls: redisClient({ port: plain, password: secret(), tls: { passphrase: secret() }, retryStrategy }),
      key: redisClient({
        port: plain,
        tls: { key: pem('PRIVATE KEY'), cert: pem('CERTIFICATE') },
        retryStrategy,
      }),
      pfx: redisClient({ port: plain, tls: { pfx: Buffer.from(secret()), passphrase: secret() }, retryStrategy }),
      rediss: redisClient({ url: `rediss://${user()}:${secret()}@127.0.0.1:${plain}`, retryStrategy }),
      cluster: redisCluster({ nodes: [`redis://${user()}:${secret()}@127.0.0.1:${port}`] }),
      sentinel: redisClient({
        sentinels: [{ host: '127.0.0.1', port }],
        name: 'main',
        sentinelPassword: secret(),
        password: secret(),
        sentinelRetryStrategy: retryStrategy,
      }),
    });
  });

  it('does not get out when the AWS SDK fails', async () => {
    await using endpoint = await startDynamoDBEndpoint();
    const port = await freePort();
    const region = 'eu-west-1';
    const credentials = () => ({ accessKeyId: user(), secretAccessKey: secret(), sessionToken: secret() });
    const failing = (message: string) => () => Promise.reject(Object.assign(new Error(message), { token: secret() }));
    const down = { region, maxAttempts: 1, endpoint: `http://127.0.0.1:${port}` } satisfies DynamoDBClientConfig;
    await expectNoLeak(
      {
        credentials: dynamoDBClient({ ...down, credentials: credentials() }),
        urlEndpoint: dynamoDBClient({
          ...down,
          endpoint: `http://${user()}:${secret()}@127.0.0.1:${port}/?token=${secret()}`,
          credentials: credentials(),
        }),
        provider: dynamoDBClient({
          ...down,
          credentials: failing(`cannot get https://${user()}:${secret()}@sts.internal/?token=${secret()}`),
        }),
        wrong: dynamoDBClient({ ...endpoint.clientConfig, maxAttempts: 1, credentials: credentials() }),
        region: dynamoDBClient({ ...down, region: failing(`secret=${secret()}`), credentials: credentials() }),
        ready: dynamoDBClient({ ...down, credentials: credentials() }, { waitUntilReady: true, createTimeout: 300 }),
      },
      false,
    );
  });

  it('does not get out when it is in options that cannot work, or in what a factory throws', async () => {
    const wrong: [string, () => ClientDefinition][] = [
      ['url scheme', () => redisClient(`http://${user()}:${secret()}@localhost`)],
      ['url port', () => redisClient(`redis://${user()}:${secret()}@localhost:port`)],
      ['url and host', () => redisClient({ url: `redis://:${secret()}@localhost`, host: secret() })],
      ['password type', () => redisClient({ host: secret(), password: [secret()] as unknown as string })],
      ['port type', () => redisClient({ port: secret() as unknown as number })],
      ['nodes', () => redisCluster({ nodes: [`http://:${secret()}@localhost`] })],
      ['node options', () => redisCluster({ nodes: [{ port: 1 }], redisOptions: secret() as unknown as object })],
      ['endpoint', () => dynamoDBClient({ endpoint: `${user()}:${secret()}` })],
      ['credentials', () => dynamoDBClient({ credentials: { accessKeyId: secret() } as never })],
      ['lifecycle', () => defineClient({ create: () => ({}) }, { closeTimeout: secret() as unknown as number })],
      ['driver', () => defineClient(secret() as never)],
    ];
    for (const [where, define] of wrong) {
      let error: unknown;
      try {
        clientsOf({ main: define() });
      } catch (thrown) {
        error = thrown;
      }
      expect(error, where).toMatchObject({ code: 'CLIENTS_INVALID_OPTIONS' });
      expectClean(error, where);
    }
    const thrown = () => Object.assign(new Error(`no redis://${user()}:${secret()}@host`), { password: secret() });
    await expectNoLeak(
      {
        throwing: redisClient({ useFactory: () => Promise.reject(thrown()) }),
        wrongUrl: redisClient({ useFactory: () => ({ url: `http://${user()}:${secret()}@host` }) }),
        wrongPort: redisClient({ useFactory: () => ({ port: secret() as unknown as number, password: secret() }) }),
        custom: defineClient({ create: () => Promise.reject(thrown()) }),
        closing: defineClient({
          create: () => ({}),
          close: () => Promise.reject(thrown()),
          check: () => Promise.reject(thrown()),
        }),
        reporting: defineClient({
          create: () => ({}),
          onError: (_, report) => void setImmediate(() => report(thrown())),
        }),
      },
      false,
    );
  });

  it('does not get out in another spelling, or in a part of something longer', async () => {
    const spellings: [string, (password: string) => string][] = [
      ['url', encodeURIComponent],
      ['urlTwice', (password) => encodeURIComponent(encodeURIComponent(password))],
      ['form', (password) => String(new URLSearchParams({ x: password }))],
      ['json', (password) => JSON.stringify({ x: password })],
      ['jsonInJson', (password) => JSON.stringify(JSON.stringify({ x: password }))],
      ['inspected', (password) => inspect([password])],
      ['trimmed', (password) => password.trim()],
      ['base64', (password) => Buffer.from(`app:${password}`).toString('base64')],
      ['base64url', (password) => Buffer.from(`app:${password}`).toString('base64url')],
      ['base64OfJson', (password) => Buffer.from(JSON.stringify({ x: password })).toString('base64')],
      ['long', (password) => `${'word '.repeat(790)}${password}${' word'.repeat(200_000)}`],
      ['longEnd', (password) => `${'word '.repeat(200_000)}${password}${' word'.repeat(795)}`],
    ];
    const clients = spellings.map(([name, spell]): [string, ClientDefinition] => {
      const password = ` "it's" ${secret()}/@é+% `;
      const fail = () => {
        throw Object.assign(new Error(spell(password)), { sent: [spell(password)] });
      };
      const driver = { create: () => ({}), connect: fail, check: fail, close: fail, destroy: fail };
      return [name, configurableClient({ kind: 'canary', findProblem: () => undefined, ...driver }, { password })];
    });
    await expectNoLeak(Object.fromEntries(clients), false);
  });

  it('does not get out although the library was never shown it, where a URL or a name gives it away', async () => {
    const pem = (body: string) => `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----`;
    const texts: [string, () => string][] = [
      ['urlWithSpace', () => `cannot reach amqp://app:correct ${secret()}@mq`],
      ['urlWithQuote', () => `cannot reach postgres://app:it's${secret()}@db/x`],
      ['urlInQuery', () => `GET /?to=${encodeURIComponent(`redis://app:${secret()}@db`)}`],
      ['pass', () => JSON.stringify({ pass: secret() })],
      ['passInJson', () => JSON.stringify(JSON.stringify({ pass: `"${secret()}"` }))],
      ['accountKey', () => `AccountName=x;AccountKey=${secret()}==;EndpointSuffix=x`],
      ['sharedAccessKey', () => `Endpoint=sb://x/;SharedAccessKey=${secret()}=`],
      ['signed', () => `GET https://x/?se=1&sig=${secret()}&X-Amz-Signature=${secret()}`],
      ['pem', () => pem(secret())],
      ['pemInJson', () => JSON.stringify({ value: pem(secret()) })],
      ['jwt', () => `sent eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${secret()}`],
      ['cookie', () => `refused\nCookie: a=b; sid=${secret()}\nHost: x`],
      ['authorization', () => `Authorization: Custom ${secret()}`],
      ['command', () => `-ERR after AUTH app ${secret()}`],
      ['commandList', () => inspect(['HELLO', '3', 'AUTH', 'app', secret()])],
    ];
    const clients = texts.map(([name, text]): [string, ClientDefinition] => {
      const fail = () => {
        throw new Error('it failed', { cause: new AggregateError([new Error(text()), text()], text()) });
      };
      const driver = { create: () => ({}), connect: fail, check: fail, close: fail, destroy: fail };
      return [name, defineClient(driver)];
    });
    await expectNoLeak(Object.fromEntries(clients), false);
  });

  afterAll(() => {
    record('canary', `${secrets} secrets in ${clientsSeen} clients and ${looks} values looked at: 0 appearances`);
  });
});
