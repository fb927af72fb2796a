import type { Cluster, ClusterOptions } from 'ioredis';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { redisCluster } from '../../src/redis/index.js';
import { describeWithRedis, startRedisCluster, type RedisCluster } from '../support/redis-server.js';
import { drive, failOnConsoleError } from './drive.js';
import { titledOptions } from '../support/titled.js';

const CLOSE_TIMEOUT = 400;
const AT_ONCE = 1_500;

describeWithRedis('a client of a cluster', () => {
  let cluster: RedisCluster;
  failOnConsoleError();
  beforeEach(async () => {
    cluster = await startRedisCluster();
  });
  afterEach(async () => {
    await cluster.close();
  });

  const noConnections = () => Promise.all(cluster.primaries.map((server) => server.clients(0)));
  const start = (options: ClusterOptions = {}) => drive(redisCluster({ nodes: cluster.nodes, ...options }));

  async function loseEveryNode(client: Cluster): Promise<void> {
    const nodes = client.nodes();
    await Promise.all(nodes.map((node) => node.ping()));
    const lost = nodes.map((node) => new Promise((resolve) => node.once('close', resolve)));
    await cluster.close();
    await Promise.all(lost);
  }

  it.each(
    titledOptions([{}, { enableAutoPipelining: true }, { slotsRefreshInterval: 1_000 }, { enableOfflineQueue: false }]),
  )('answers 9,000 commands before it closes, with %s', async (_title, options) => {
    await using driven = await start(options);
    await driven.blueprint.driver.connect?.(driven.client);
    driven.watch(...Array.from({ length: 9_000 }, (_, index) => driven.client.set(`key:${index}`, index)));
    const closing = await driven.close(10_000);

    expect(closing).toMatchObject({ forced: false, status: 'end', left: [], commands: { answered: 9_000 } });
    await noConnections();
    await expect(driven.client.get('a')).rejects.toThrow('Connection is closed.');
  });

  it('closes without a socket if it was never connected', async () => {
    await using driven = await start();
    expect(await driven.close()).toMatchObject({ forced: false, status: 'end', left: [] });
  });

  it('answers its first commands, issued in the same tick', async () => {
    await using driven = await start();
    driven.watch(driven.client.set('a', 1), driven.client.get('a'));
    expect(await driven.close(5_000)).toMatchObject({ forced: false, status: 'end', commands: { answered: 2 } });
    await noConnections();
  });

  it('closes while it is connecting', async () => {
    await using driven = await start();
    driven.connect();
    const closing = await driven.close();
    expect(closing).toMatchObject({ forced: false, status: 'end' });
    expect(closing.duration).toBeLessThan(AT_ONCE);
    await noConnections();
    expect(driven.client.status).toBe('end');
  });

  it('ends the connection of a subscriber', async () => {
    await using driven = await start();
    await driven.client.subscribe('news');
    expect(await driven.close()).toMatchObject({ forced: false, status: 'end' });
    await noConnections();
  });

  it('closes once if asked twice, and after the user has quit', async () => {
    await using driven = await start();
    await driven.client.get('a');
    await Promise.all([driven.close(), driven.close()]);
    expect(await driven.close()).toMatchObject({ forced: false, status: 'end', left: [] });

    await using other = await start({ slotsRefreshInterval: 1_000 });
    await other.client.get('a');
    await other.client.quit();
    expect(await other.close()).toMatchObject({ forced: false, status: 'end', left: [] });
    await noConnections();
  });

  it('leaves no timer when it ends during a refresh of the slots', async () => {
    const slotsRefreshInterval = 20;
    await using driven = await start({ slotsRefreshInterval });
    await driven.client.get('a');
    const state = driven.client as unknown as { isRefreshing: boolean };
    let refreshes = 0;
    await new Promise<void>((resolve) => {
      const refresh = driven.client.refreshSlotsCache.bind(driven.client);
      vi.spyOn(driven.client, 'refreshSlotsCache').mockImplementation((callback) => {
        if (state.isRefreshing && callback) return process.nextTick(callback); // as ioredis 5.3 does
        refreshes += 1;
        refresh(callback);
        return resolve();
      });
    });
    expect(state.isRefreshing).toBe(true);
    await driven.blueprint.driver.destroy?.(driven.client);
    await expect.poll(() => state.isRefreshing, { timeout: 5_000 }).toBe(false);
    // Node ends timers of the same length in the order in which they began.
    await new Promise((resolve) => setTimeout(resolve, slotsRefreshInterval));
    expect(refreshes).toBe(1);
    await noConnections();
  });

  it.each(titledOptions([{}, { clusterNodeRetryStrategy: () => 50 }, { enableOfflineQueue: false }]))(
    'closes at once with every node down and nothing pending, with %s',
    async (_, options) => {
      await using driven = await start(options);
      await driven.blueprint.driver.connect?.(driven.client);
      await loseEveryNode(driven.client);
      const closing = await driven.close();

      expect(closing).toMatchObject({ forced: false, status: 'end', left: [] });
      expect(closing.duration).toBeLessThan(AT_ONCE);
    },
  );

  it.each(
    titledOptions([
      {},
      { clusterNodeRetryStrategy: () => 50 },
      { enableOfflineQueue: false },
      { enableAutoPipelining: true },
      { redisOptions: { maxRetriesPerRequest: null } },
      { redisOptions: { maxRetriesPerRequest: 0 } },
    ]),
  )('rejects what is queued by the deadline with every node down, with %s', async (_, options: ClusterOptions) => {
    await using driven = await start(options);
    await driven.blueprint.driver.connect?.(driven.client);
    await loseEveryNode(driven.client);
    driven.watch(driven.client.set('a', 1), driven.client.get('b'));
    const closing = await driven.close(CLOSE_TIMEOUT);

    expect(closing).toMatchObject({ status: 'end', commands: { rejected: 2, pending: 0 } });
    expect(closing.duration).toBeLessThan(CLOSE_TIMEOUT + AT_ONCE);
  });

  it('rejects the first commands by the deadline if no node was ever up', async () => {
    await cluster.close();
    for (const options of [{}, { enableAutoPipelining: true }]) {
      await using driven = await start(options);
      driven.watch(driven.client.set('a', 1), driven.client.get('b'));
      await driven.event('reconnecting');
      driven.watch(driven.client.set('c', 1));
      const closing = await driven.close(CLOSE_TIMEOUT);

      expect(closing).toMatchObject({ status: 'end', commands: { rejected: 3, pending: 0 } });
      expect(closing.duration).toBeLessThan(CLOSE_TIMEOUT + AT_ONCE);
    }
  });

  it('rejects what a frozen node has not answered at the deadline, and answers the rest', async () => {
    await using driven = await start();
    await driven.blueprint.driver.connect?.(driven.client);
    await Promise.all(Array.from({ length: 100 }, (_, index) => driven.client.set(`key:${index}`, index)));
    cluster.primaries[0]?.freeze();
    driven.watch(...Array.from({ length: 100 }, (_, index) => driven.client.set(`key:${index}`, index)));
    const closing = await driven.close(CLOSE_TIMEOUT);

    expect(closing).toMatchObject({ forced: true, status: 'end', commands: { pending: 0 } });
    expect(closing.commands.answered).toBeGreaterThan(50);
    expect(closing.commands.rejected).toBeGreaterThan(20);
    expect(closing.duration).toBeLessThan(CLOSE_TIMEOUT + AT_ONCE);
    cluster.primaries[0]?.thaw();
    await noConnections();
  });

  it('ends although every node is frozen while it connects', async () => {
    for (const server of cluster.primaries) server.freeze();
    await using driven = await start();
    driven.watch(driven.client.set('a', 1));
    const closing = await driven.close(CLOSE_TIMEOUT);
    expect(closing).toMatchObject({ forced: true, status: 'end', commands: { rejected: 1, pending: 0 } });
    expect(closing.duration).toBeLessThan(CLOSE_TIMEOUT + AT_ONCE);

    // ioredis asks for the slots on a connection of its own: 1 s for the answer, 0.5 s until it is cut.
    const from = performance.now();
    await driven.gone(5_000);
    expect(performance.now() - from).toBeLessThan(2_000);
    expect(driven.client.status).toBe('end');
  });

  it('waits for commands that the cluster tries again', async () => {
    await using driven = await start();
    await driven.blueprint.driver.connect?.(driven.client);
    await Promise.all(Array.from({ length: 30 }, (_, index) => driven.client.set(`key:${index}`, index)));
    const [first] = cluster.primaries;
    await first?.kill();
    driven.watch(...Array.from({ length: 30 }, (_, index) => driven.client.get(`key:${index}`)));
    await driven.event('node error');
    const closing = await driven.close(CLOSE_TIMEOUT);

    expect(closing).toMatchObject({ status: 'end', commands: { pending: 0 } });
    expect(closing.commands.answered).toBeGreaterThan(10);
  });
});
