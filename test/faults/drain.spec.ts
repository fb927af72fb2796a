import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { describeWithRedis, startRedisServer } from '../support/redis-server.js';
import type { ServiceSettings } from './apps/service.js';
import { startApp } from './support/app-process.js';
import { startDynamoDBEndpoint, TABLE } from './support/dynamodb-endpoint.js';
import { isSuccess, startLoad, tally } from './support/load.js';
import { record, seconds } from './support/record.js';

const CONNECTIONS = 50;
/** Milliseconds of load before the signal, and after it: clients do not know that a server is going. */
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

  test.each(CASES)(
    'fails no accepted request and sends no write twice: %s, with keep-alive %j',
    async (serverName, keepAlive, { platform, turnsAway }) => {
      await using redis = await startRedisServer();
      await using endpoint = await startDynamoDBEndpoint();
      endpoint.proxy.delay(15); // so that the signal finds writes in flight
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
      // Nothing was answered with an error, but for what Fastify turns away by itself, before it is accepted.
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
