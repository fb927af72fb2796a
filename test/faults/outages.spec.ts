import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { ClientStatus } from '../../src/index.js';
import { bootApp, clientsOf, nextEvent, recordEvents, registryOf } from '../support/boot-app.js';
import { describeWithRedis, startRedisServer } from '../support/redis-server.js';
import type { ServiceSettings } from './apps/service.js';
import { startApp, type AppProcess } from './support/app-process.js';
import { startDynamoDBEndpoint, TABLE, type DynamoDBEndpoint } from './support/dynamodb-endpoint.js';
import { isSuccess, startLoad, tally } from './support/load.js';
import { milliseconds, record, seconds } from './support/record.js';
import { REDIS_KINDS, type RedisKind, type RedisKindName } from './support/redis-kinds.js';
import type { Row } from './support/rows.js';

const CONNECTIONS = 20;
/** Milliseconds of undisturbed traffic, before the fault and after it. */
const CALM = 1_000;

interface Outage {
  readonly row: Row;
  readonly kind: RedisKindName;
  readonly use?: ServiceSettings['use'];
  /** Causes the outage, and ends it unless it ends by itself. If it ends it, it resolves when the servers can answer again. */
  readonly happen: (servers: { redis: RedisKind; dynamodb: DynamoDBEndpoint; app: AppProcess }) => Promise<void>;
  /** Whether no request can be answered until the outage has ended by itself. */
  readonly endsByItself?: boolean;
}

const OUTAGES: readonly Outage[] = [
  {
    row: 'restart',
    kind: 'standalone',
    async happen({ redis: { primaries } }) {
      await primaries[0]?.kill();
      await delay(2_000);
      await primaries[0]?.restart();
    },
  },
  {
    row: 'failover',
    kind: 'Sentinel',
    use: ['redis'],
    endsByItself: true,
    happen: async ({ redis: { primaries } }) => primaries[0]?.kill(),
  },
  {
    row: 'clusterPrimary',
    kind: 'Cluster',
    use: ['redis'],
    endsByItself: true,
    happen: async ({ redis: { primaries } }) => primaries[0]?.kill(),
  },
  {
    row: 'clientKill',
    kind: 'standalone',
    async happen({ redis: { primaries } }) {
      for (let time = 0; time < 20; time += 1) {
        await primaries[0]?.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await delay(50);
      }
    },
  },
  {
    row: 'dynamodbCut',
    kind: 'standalone',
    async happen({ dynamodb }) {
      await dynamodb.proxy.refuse();
      await delay(2_000);
      await dynamodb.proxy.accept();
    },
  },
  {
    row: 'frozenProcess',
    kind: 'standalone',
    async happen({ redis: { primaries }, dynamodb, app }) {
      app.signal('SIGSTOP');
      await delay(5_000);
      await primaries[0]?.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      dynamodb.proxy.cut();
      await delay(5_000);
      app.signal('SIGCONT');
    },
  },
];

describeWithRedis('an outage under load', () => {
  it.each(OUTAGES.map((outage) => [outage.row, outage] as const))(
    'is over when the servers are back, without a restart of the app: %s',
    async (row, { kind, use, endsByItself = false, happen }) => {
      await using redis = await REDIS_KINDS[kind]();
      await using dynamodb = await startDynamoDBEndpoint();
      const settings: ServiceSettings = {
        redis: redis.options,
        dynamodb: dynamodb.clientConfig,
        table: TABLE,
        key: await keyOn(redis),
        ...(use && { use }),
      };
      await using app = startApp('service', { settings });
      const url = `${await app.says<string>('listening')}/visits`;
      const load = startLoad(url, { connections: CONNECTIONS, keepAlive: true, pause: 5 });
      await delay(CALM);

      const from = performance.now();
      await happen({ redis, dynamodb, app });
      const to = performance.now();
      const first = await load.succeeded(to);
      await delay(CALM);
      const answers = await load.stop();
      app.signal('SIGTERM');
      const exit = await app.exited;

      const errors = answers.filter((answer) => !isSuccess(answer));
      expect(errors.filter((error) => error.to < from)).toEqual([]);
      expect(errors.filter((error) => error.from > first.to)).toEqual([]);
      expect(answers.filter((answer) => answer.from > first.to).length).toBeGreaterThan(CONNECTIONS);
      expect(exit.code).toBe(0);
      expect(app.said('crash')).toEqual([]);
      const outage = endsByItself ? '' : `outage of ${seconds(to - from)}; `;
      const kinds = errors.length > 0 ? `: ${JSON.stringify(tally(errors)).replaceAll('"', '')}` : '';
      const count = `${errors.length} of ${answers.length} requests failed${kinds}, none that began after it`;
      record(
        row,
        `${outage}first success ${seconds(first.to - to)} after ${endsByItself ? 'the kill' : 'its end'}; ${count}`,
      );
    },
  );
});

/** A key whose slot is on the first primary. */
async function keyOn({ primaries }: RedisKind): Promise<string> {
  if (primaries.length === 1) return 'visits';
  for (let index = 0; ; index += 1) {
    const slot = Number(await primaries[0]?.command('CLUSTER', 'KEYSLOT', `visits:${index}`));
    if (slot < 16_384 / primaries.length) return `visits:${index}`;
  }
}

/** Milliseconds that the servers are down. */
const LONG = 60_000;
/** Milliseconds between two health checks. */
const PROBE_INTERVAL = 5_000;
/** In a minute, a client logs at most one line about errors, one about failed builds, and one about a lost connection. */
const MOST_LINES = 3;

describeWithRedis('servers that are down for a minute', () => {
  describe.concurrent('with and without traffic', () => {
    it.for([true, false])(
      'crash nothing and flood no log, with traffic: $0',
      async (traffic, { expect: expectHere }) => {
        await using main = await startRedisServer();
        await using sentinel = await REDIS_KINDS.Sentinel();
        await using cluster = await REDIS_KINDS.Cluster();
        await using dynamodb = await startDynamoDBEndpoint();
        const settings: ServiceSettings = {
          redis: { port: main.port },
          others: { sentinel: { ...sentinel.options, failoverDetector: true }, cluster: cluster.options },
          dynamodb: dynamodb.clientConfig,
          table: TABLE,
          key: 'visits',
        };
        await using app = startApp('service', { settings });
        const url = await app.says<string>('listening');
        await serves(url);
        const isConnected = (client: string) =>
          app.said('event').some(({ value }) => isDeepStrictEqual(value, { type: 'connected', client }));
        while (!['redis', 'sentinel', 'cluster'].every(isConnected)) await delay(20); // and has said so
        const linesBefore = app.lines.length;
        const eventsBefore = app.said('event').length;

        const servers = [main, ...sentinel.servers, ...cluster.servers];
        await Promise.all(servers.map((server) => server.kill()));
        await dynamodb.proxy.refuse();
        const load = startLoad(`${url}/visits`, { connections: traffic ? 5 : 0, keepAlive: true, pause: 200 });
        // Checks their health now and then: a cluster without commands would not notice that its nodes are gone.
        for (let time = 0; time < LONG; time += PROBE_INTERVAL) {
          await delay(PROBE_INTERVAL);
          await (await fetch(`${url}/health`)).arrayBuffer();
        }
        const lines = app.lines.slice(linesBefore).filter((line) => line.includes('ClientsModule'));
        const strays = app.lines.slice(linesBefore).filter((line) => line.includes('[ioredis]'));
        const events = app.said('event').slice(eventsBefore);
        const status = (await (await fetch(`${url}/status`)).json()) as ClientStatus[];
        await Promise.all([load.stop(), main.restart(), dynamodb.proxy.accept()]);
        const recovered = await serves(url);

        expectHere(app.said('crash')).toEqual([]);
        expectHere(strays).toEqual([]);
        for (const name of ['redis', 'sentinel', 'cluster', 'dynamodb']) {
          const own = lines.filter((line) => line.includes(`"${name}"`));
          expectHere(own.length, own.join('\n')).toBeLessThanOrEqual(MOST_LINES);
        }
        for (const { name, state, lastError } of status) {
          expectHere(state).toBe('open');
          if (name === 'dynamodb') continue; // has no connection whose loss it could report; requests tell their callers
          expectHere(Date.now() - new Date(lastError?.at ?? 0).getTime(), name).toBeLessThan(10_000);
          expectHere(lastError?.message, name).toMatch(/ECONNREFUSED|unreachable|Failed to refresh/);
        }
        expectHere(recovered).toBe(true);
        const per = ['redis', 'sentinel', 'cluster', 'dynamodb'].map(
          (name) => `${name} ${lines.filter((line) => line.includes(`"${name}"`)).length}`,
        );
        record(
          'down',
          `${traffic ? 'with' : 'without'} traffic: 0 crashes; log lines: ${per.join(', ')}, for ${events.length} events; lastError of each Redis client names the failure; served again after`,
        );
      },
    );
  });
});

/** Resolves as soon as a request succeeds. */
async function serves(url: string): Promise<boolean> {
  const load = startLoad(`${url}/visits`, { connections: 1, keepAlive: false });
  const answer = await load.succeeded(0);
  await load.stop();
  return isSuccess(answer);
}

/** Milliseconds within which a loss must be published. An unused cluster only notices one by a command that the library sends. */
const TOLD_WITHIN = 2_000;

describeWithRedis('a connection that is lost without traffic', () => {
  it.each(['standalone', 'Sentinel', 'Cluster'] as const)('is published, and so is its return: %s', async (kind) => {
    await using redis = await REDIS_KINDS[kind]();
    const app = await bootApp({ imports: [clientsOf({ redis: redis.define({}, { eager: true }) })] });
    const registry = registryOf(app);
    const events = recordEvents(registry);
    if (registry.status()[0]?.connection !== 'connected') await nextEvent(registry, 'connected');
    const before = events.length;

    const lost = nextEvent(registry, 'disconnected');
    const data = [...redis.primaries, ...redis.replicas];
    await Promise.all(data.map((server) => server.kill()));
    const from = performance.now();
    await lost;
    const told = performance.now() - from;
    expect(registry.status()[0]).toMatchObject({ connection: 'disconnected' });

    const back = nextEvent(registry, 'connected');
    for (const server of data) await server.restart();
    const to = performance.now();
    const { duration } = await back;
    const regained = performance.now() - to;
    const changes = events
      .slice(before)
      .map(({ type }) => type)
      .filter((type) => type === 'connected' || type === 'disconnected');
    await app.close();

    expect(told).toBeLessThan(TOLD_WITHIN);
    expect(changes).toEqual(['disconnected', 'connected']);
    record(
      'connectionEvents',
      `${kind}: lost is told ${milliseconds(Math.max(0, told))} after the kill, regained ${seconds(Math.max(0, regained))} after the servers are back; gone for ${seconds(duration)}, as the event says`,
    );
  });
});
