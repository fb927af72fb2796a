import { inspect } from 'node:util';
import type { Cluster, Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { redisClient, redisCluster, type RedisCredentialsProvider } from '../../src/redis/index.js';
import { bootApp, clientsOf, nextEvent, recordEvents, registryOf } from '../support/boot-app.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { describeWithRedis, startRedisCluster, startRedisServer } from '../support/redis-server.js';
import { loginsOf, Tokens, turnDefaultOff } from '../support/redis-tokens.js';
import { record, seconds } from './support/record.js';

/** Milliseconds for which a token is valid. Each connection logs in about twice in that time. */
const LIFE = 1_000;
/** Milliseconds for which the load runs. */
const LOAD = 6_000;
const WORKERS = 50;
/** How often the provider fails before it gives the next token. */
const FAILURES = 3;

async function startServers(kind: 'standalone' | 'Cluster') {
  if (kind === 'Cluster') {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.close());
    const tokens = new Tokens(await Promise.all(cluster.primaries.map(turnDefaultOff)), LIFE);
    const define = (credentials: RedisCredentialsProvider) => redisCluster({ nodes: cluster.nodes, credentials });
    return { tokens, define };
  }
  const server = await startRedisServer();
  onTestFinished(() => server.close());
  const tokens = new Tokens([await turnDefaultOff(server)], LIFE);
  const define = (credentials: RedisCredentialsProvider) => redisClient({ port: server.port, credentials });
  return { tokens, define };
}

async function boot(definition: ReturnType<Awaited<ReturnType<typeof startServers>>['define']>) {
  const logger = new RecordingLogger();
  const app = await bootApp({ imports: [clientsOf({ redis: definition })] }, { logger });
  const registry = registryOf(app);
  const events = recordEvents(registry);
  const client = (await registry.get('redis')) as Redis | Cluster;
  if (registry.status()[0]?.connection !== 'connected') await nextEvent(registry, 'connected');
  return { app, registry, events, client, logger };
}

describeWithRedis('a token that changes', () => {
  it.each(['standalone', 'Cluster'] as const)('costs no command and no connection under load: %s', async (kind) => {
    const { tokens, define } = await startServers(kind);
    const { app, client, events } = await boot(define(tokens.expiring));

    const over = performance.now() + LOAD;
    let answered = 0;
    const failures: string[] = [];
    const work = async (_: unknown, index: number): Promise<void> => {
      while (performance.now() < over) {
        await client.incr(`key:${index}`).then(
          () => (answered += 1),
          (error: Error) => failures.push(error.message),
        );
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
    const logins = await Promise.all(tokens.servers.map(loginsOf));
    await app.close();

    expect(failures).toEqual([]);
    expect(events.filter(({ type }) => type === 'disconnected' || type === 'error')).toEqual([]);
    for (const count of logins) expect(count).toBeGreaterThan(LOAD / LIFE);
    record(
      'rotation',
      `${kind}: ${answered.toLocaleString('en')} commands in ${seconds(LOAD)}, 0 failed; tokens that live ${seconds(LIFE)}, logins by server ${logins.join(', ')}`,
    );
  });

  it.each(['standalone', 'Cluster'] as const)(
    'is reported while it cannot be fetched, and used as soon as it can: %s',
    async (kind) => {
      const { tokens, define } = await startServers(kind);
      await tokens.issue();
      let failures = 0;
      const credentials: RedisCredentialsProvider = async () => {
        if (failures > 0) {
          failures -= 1;
          throw new Error(`the vault refuses ${tokens.issued[0]}`);
        }
        return tokens.current();
      };
      const { app, registry, client, events, logger } = await boot(define(credentials));
      await Promise.all(Array.from({ length: WORKERS }, (_, index) => client.incr(`key:${index}`)));

      failures = FAILURES * tokens.servers.length;
      await tokens.issue({ only: true });
      const from = performance.now();
      const failed = nextEvent(registry, 'error');
      await tokens.killAll();
      await failed;
      await Promise.all(Array.from({ length: WORKERS }, (_, index) => client.incr(`key:${index}`)));
      const took = performance.now() - from;
      const status = registry.status();
      await app.close();

      const told = events.flatMap((event) => (event.type === 'error' ? [event.error.message] : []));
      expect(told).toContain('credentials() failed: the vault refuses ***');
      const printed = inspect([events, status, logger.lines], { depth: 12 });
      for (const token of tokens.issued) expect(printed).not.toContain(token);
      record(
        'rotationRevoked',
        `${kind}: ${told.length} error events, commands answered again ${seconds(took)} after the kill, ${FAILURES} failures for each server later; 0 tokens in any output`,
      );
    },
  );
});
