import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeRedisClient, nodeRedisCluster, nodeRedisSentinel } from '../../src/node-redis/index.js';
import { bootApp, clientsOf, nextEvent, recordEvents, registryOf, rejection } from '../support/boot-app.js';
import { freePort, startRedisCluster, startRedisSentinels, startRedisServer } from '../support/redis-server.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { drive } from './drive.js';
import { describeEachVersion } from './versions.js';

describeEachVersion('the connection of a client', () => {
  it('is published once a change: when the server is killed, is back, and cuts connections', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient(server.url));
    driven.connect();
    await driven.changed(1);
    await server.kill();
    await driven.changed(2);
    await driven.nextError();
    await server.restart();
    await driven.changed(3);
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await driven.changed(5);
    expect(await driven.client.ping()).toBe('PONG');
    expect(driven.changes).toEqual(['+', '-', '+', '-', '+']);
    expect(await driven.close()).toMatchObject({ forced: false, left: [] });
    expect(driven.changes).toHaveLength(5);
  });

  it('is an error each time that a server hangs up before it is ready', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    await using driven = await drive(nodeRedisClient({ socket: { port: (server.address() as AddressInfo).port } }));
    driven.connect();
    await driven.nextError();
    await driven.nextError();
    expect(driven.changes).toEqual([]);
  });

  it('is an error while the password is wrong, which is never printed', async () => {
    await using server = await startRedisServer({ password: 'right' });
    await using driven = await drive(nodeRedisClient(server.url.replace('right', 'wrong')));
    driven.connect();
    expect((await driven.nextError()).message).toMatch(/WRONGPASS/);
    await expect(driven.check()).rejects.toThrow(/There is no connection to Redis: .*WRONGPASS/);
    expect(driven.changes).toEqual([]);
  });

  it('asks a credentialsProvider at each attempt', async () => {
    await using server = await startRedisServer({ password: 'second' });
    const passwords = ['first', 'second', 'second'];
    const credentialsProvider = {
      type: 'async-credentials-provider' as const,
      credentials: async () => ({ username: 'default', password: passwords.shift() as string }),
    };
    await using driven = await drive(nodeRedisClient({ socket: { port: server.port }, credentialsProvider }));
    driven.connect();
    await driven.changed(1);
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await driven.changed(3);
    expect(passwords).toEqual([]);
    expect(await driven.client.ping()).toBe('PONG');
  });

  it('ends without an event when the user closes the client', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient(server.url));
    await driven.client.connect();
    await driven.changed(1);
    await driven.client.close();
    await expect(driven.check()).rejects.toThrow('There is no connection to Redis');
    expect(driven.changes).toEqual(['+']);
    expect(driven.errors).toEqual([]);
  });

  it('shows in status, events and health of an application, whose close closes it', async () => {
    await using server = await startRedisServer();
    const clients = { redis: nodeRedisClient(server.url, { eager: true }) };
    const app = await bootApp({ imports: [clientsOf(clients)] });
    const registry = registryOf(app);
    const events = recordEvents(registry);
    if (registry.status()[0]?.connection !== 'connected') await nextEvent(registry, 'connected');
    expect(registry.status()).toMatchObject([{ kind: 'node-redis', state: 'open', connection: 'connected' }]);
    expect(await registry.check('redis')).toMatchObject({ status: 'up' });
    const lost = nextEvent(registry, 'disconnected');
    await server.kill();
    await lost;
    expect(await registry.check('redis')).toMatchObject({ status: 'down' });
    const back = nextEvent(registry, 'connected');
    await server.restart();
    await back;
    await app.close();
    expect(events.filter(({ type }) => type === 'disconnected')).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ type: 'closed' });
    await server.clients(0);
  });

  it('is waited for by a bootstrap with waitUntilReady', async () => {
    const port = await freePort();
    const down = nodeRedisClient({ socket: { port } }, { eager: true, waitUntilReady: true, createTimeout: 400 });
    const failure = await rejection(bootApp({ imports: [clientsOf({ redis: down })] }));
    expect(failure).toMatchObject({ code: 'CLIENTS_CREATE_TIMEOUT' });
    expect(failure.message).toContain('ECONNREFUSED');
    await using server = await startRedisServer({ port });
    const up = nodeRedisClient(server.url, { eager: true, waitUntilReady: true });
    const app = await bootApp({ imports: [clientsOf({ redis: up })] });
    expect(registryOf(app).status()).toMatchObject([{ connection: 'connected' }]);
  });

  describe('asked by a health check', () => {
    it('answers though PING is not allowed', async () => {
      await using server = await startRedisServer();
      await server.command('ACL', 'SETUSER', 'reader', 'on', '>pw', '~*', '+@read', '+hello', '+client');
      await using driven = await drive(
        nodeRedisClient({ socket: { port: server.port }, username: 'reader', password: 'pw' }),
      );
      await driven.check();
      await expect(driven.client.ping()).rejects.toThrow('NOPERM');
    });

    it('is opened by it if nothing has opened it yet', async () => {
      await using server = await startRedisServer();
      await using driven = await drive(nodeRedisClient(server.url));
      await driven.check();
      expect(driven.changes).toEqual(['+']);
    });

    it('fails at once while the server is down, with the reason', async () => {
      await using server = await startRedisServer();
      await using driven = await drive(nodeRedisClient(server.url));
      await driven.check();
      await server.kill();
      await driven.changed(2);
      await driven.nextError();
      await expect(driven.check()).rejects.toThrow(/There is no connection to Redis: .*ECONNREFUSED/);
      await server.restart();
      await driven.changed(3);
      await driven.check();
    });

    it('is left to a check of the user’s own', async () => {
      await using server = await startRedisServer();
      const asked: unknown[] = [];
      const check = (client: { ping(): Promise<unknown> }) => client.ping().then((reply) => asked.push(reply));
      await using driven = await drive(nodeRedisClient(server.url, { check }));
      await driven.check();
      expect(asked).toEqual(['PONG']);
    });
  });

  it('is kept through a proxy that delays', async () => {
    await using server = await startRedisServer();
    await using proxy = await startTcpProxy(server);
    proxy.delay(20);
    await using driven = await drive(nodeRedisClient(`redis://${proxy.host}:${proxy.port}/1`));
    await driven.client.set('a', 'in database 1');
    expect(await driven.client.get('a')).toBe('in database 1');
    expect(await server.command('GET', 'a')).toBe('');
  });
});

describeEachVersion('the connections of a cluster', () => {
  it('open with the first command, are published, checked, and closed', async () => {
    await using cluster = await startRedisCluster();
    const rootNodes = cluster.nodes.map((socket) => ({ socket }));
    await using driven = await drive(nodeRedisCluster({ rootNodes }));
    const { client } = driven;
    expect(client.isOpen).toBe(false);
    expect(await Promise.all([client.set('a', '1'), client.multi().set('b', '2').exec()])).toEqual(['OK', ['OK']]);
    await driven.changed(1);
    expect(await client.multi().get('b').execAsPipeline()).toEqual(['2']);
    await driven.check();

    await Promise.all(cluster.primaries.map((server) => server.kill()));
    await driven.changed(2);
    await expect(driven.check()).rejects.toThrow('There is no connection to Redis');
    driven.watch(client.get('a'));
    const closing = await driven.close(400);
    expect(closing).toMatchObject({ forced: true, isOpen: false, commands: { rejected: 1, pending: 0 } });
    expect(driven.changes).toEqual(['+', '-']);
    const refusal = {
      code: 'CLIENTS_CLOSED',
      message: expect.stringMatching(/has closed.*jobs and pollers/) as string,
    };
    await expect(client.get('a')).rejects.toMatchObject(refusal);
    await expect(client.subscribe('a', () => {})).rejects.toMatchObject({ code: 'CLIENTS_CLOSED' });
    await expect(client.connect()).rejects.toMatchObject({ code: 'CLIENTS_CLOSED' });
  });

  it('answer what is pending, publish and subscribe, and leave nothing', async () => {
    await using cluster = await startRedisCluster();
    const rootNodes = cluster.nodes.map((socket) => ({ socket }));
    await using driven = await drive(nodeRedisCluster({ rootNodes }));
    driven.connect();
    const { client } = driven;
    const heard = new Promise(
      (resolve) => void client.subscribe('news', resolve).then(() => client.publish('news', 'x')),
    );
    expect(await heard).toBe('x');
    const duplicate = client.duplicate();
    duplicate.on('error', () => {});
    await duplicate.connect();
    driven.watch(...Array.from({ length: 1_000 }, (_, index) => client.set(`key:${index}`, index)));
    const closing = await driven.close(5_000);
    expect(closing).toMatchObject({ forced: false, isOpen: false, commands: { answered: 1_000 } });
    expect(await duplicate.get('key:1')).toBe('1');
    duplicate.destroy();
    for (const server of cluster.primaries) await server.clients(0);
  });

  it('are tried again when no node could be reached at first', async () => {
    await using server = await startRedisServer({
      args: ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())],
    });
    for (let slot = 0; slot < 16_384; slot += 4_096) {
      await server.command('CLUSTER', 'ADDSLOTSRANGE', String(slot), String(slot + 4_095));
    }
    await server.stop();
    await using driven = await drive(nodeRedisCluster({ rootNodes: [{ url: server.url }] }));
    driven.connect();
    await driven.nextError();
    await expect(driven.check()).rejects.toThrow('There is no connection to Redis');
    await expect(driven.client.get('a')).rejects.toThrow(/root nodes|ECONNREFUSED/i);
    await server.restart();
    await driven.changed(1);
    await driven.check();
    expect(await driven.close()).toMatchObject({ forced: false, isOpen: false });
  });
});

describeEachVersion('the connections of a client of Sentinels', () => {
  it('open with the first command, are published, checked, and closed', async () => {
    await using group = await startRedisSentinels();
    const { name, sentinels } = group.options;
    await using driven = await drive(nodeRedisSentinel({ name, sentinelRootNodes: sentinels }));
    const { client } = driven;
    expect(client.isOpen).toBe(false);
    expect(await Promise.all([client.set('a', '1'), client.get('a')])).toEqual(['OK', '1']);
    await driven.changed(1);
    await driven.check();
    const heard = new Promise(
      (resolve) => void client.subscribe('news', resolve).then(() => client.publish('news', 'x')),
    );
    expect(await heard).toBe('x');

    await group.primary.kill(); // the replica is promoted
    await driven.changed(3);
    expect(driven.changes).toEqual(['+', '-', '+']);
    await driven.check();
    expect(await client.set('a', '2')).toBe('OK');
    expect(await group.replica.command('GET', 'a')).toBe('2');
    driven.watch(client.get('a'));
    expect(await driven.close(2_000)).toMatchObject({ forced: false, isOpen: false, commands: { answered: 1 } });
    await expect(client.get('a')).rejects.toMatchObject({ code: 'CLIENTS_CLOSED' });
    await expect(client.connect()).rejects.toMatchObject({ code: 'CLIENTS_CLOSED' });
    await group.replica.clients(0);
  });

  it('end a check that waits for an answer when they are lost', async () => {
    await using group = await startRedisSentinels();
    const { name, sentinels } = group.options;
    await using driven = await drive(nodeRedisSentinel({ name, sentinelRootNodes: sentinels }));
    await driven.check();
    [group.primary, group.replica].forEach((server) => server.freeze());
    const kill = Promise.all([group.primary, group.replica, ...group.sentinels].map((server) => server.kill()));
    await expect(driven.check()).rejects.toThrow('There is no connection to Redis');
    await kill;
    await expect(driven.check()).rejects.toThrow('There is no connection to Redis');
  });

  it('reject what is pending by the deadline when everything is gone', async () => {
    await using group = await startRedisSentinels();
    const { name, sentinels } = group.options;
    await using driven = await drive(nodeRedisSentinel({ name, sentinelRootNodes: sentinels }));
    await driven.check();
    await Promise.all([group.primary, group.replica, ...group.sentinels].map((server) => server.kill()));
    await driven.changed(2);
    driven.watch(driven.client.get('a'));
    const closing = await driven.close(400);
    expect(closing).toMatchObject({ forced: true, commands: { rejected: 1, pending: 0 } });
    expect(closing.duration).toBeLessThan(1_900);
  });
});
