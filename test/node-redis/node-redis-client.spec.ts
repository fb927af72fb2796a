import { expect, it } from 'vitest';
import { nodeRedisClient } from '../../src/node-redis/index.js';
import { startRedisServer } from '../support/redis-server.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { drive } from './drive.js';
import { describeEachVersion, type Version } from './versions.js';

const load = async (version: Version) => (version === 6 ? import('redis') : import('redis-5'));

describeEachVersion('nodeRedisClient, before it is connected', (version) => {
  it('creates what createClient of node-redis returns', async () => {
    const { RedisClient } = (await load(version)) as unknown as { RedisClient?: new () => object };
    await using driven = await drive(nodeRedisClient('redis://localhost:6379'));
    if (RedisClient) expect(driven.client).toBeInstanceOf(RedisClient);
    expect(driven.client.isOpen).toBe(false);
  });

  it('opens no socket until connect() or its first command', async () => {
    await using server = await startRedisServer();
    await using proxy = await startTcpProxy(server);
    await using driven = await drive(nodeRedisClient({ socket: { port: proxy.port } }));
    expect(proxy.accepted).toBe(0);
    expect(await driven.client.set('key', 'value')).toBe('OK');
    expect(await driven.client.get('key')).toBe('value');
    expect(proxy.accepted).toBe(1);
    await driven.changed(1);
    expect(driven.changes).toEqual(['+']);
    expect(await driven.close()).toMatchObject({ forced: false, isOpen: false, left: [] });
  });

  it.each<[string, (client: Awaited<ReturnType<typeof build>>) => Promise<unknown>, unknown]>([
    ['a transaction', (client) => client.multi().set('a', '1').get('a').exec(), ['OK', '1']],
    ['a pipeline', (client) => client.multi().set('a', '1').get('a').execAsPipeline(), ['OK', '1']],
    ['a raw command', (client) => client.sendCommand(['PING']), 'PONG'],
    ['a blocking command', (client) => client.blPop('none', 0.01), null],
    ['a script', (client) => client.eval('return 7', { keys: [], arguments: [] }), 7],
    ['a proxy with options', (client) => client.withTypeMapping({}).ping(), 'PONG'],
    ['select', (client) => client.select(1), undefined],
    ['watch', (client) => client.watch('a'), 'OK'],
    ['subscribe', (client) => client.subscribe('news', () => {}), undefined],
    ['pSubscribe', (client) => client.pSubscribe('news*', () => {}), undefined],
    ['sSubscribe', (client) => client.sSubscribe('news', () => {}), undefined],
    ['connect', (client) => client.connect().then((connected) => connected === client), true],
  ])('connects with %s', async (_, ask, answer) => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient(server.url));
    expect(await ask(driven.client)).toEqual(answer);
    await driven.changed(1);
    expect(driven.client.isReady).toBe(true);
    expect(await driven.close()).toMatchObject({ forced: false, isOpen: false, left: [] });
    await server.clients(0);
  });

  it('connects once, whoever asks for it', async () => {
    await using server = await startRedisServer();
    await using proxy = await startTcpProxy(server);
    await using driven = await drive(nodeRedisClient({ socket: { port: proxy.port } }));
    driven.connect();
    const { client } = driven;
    expect(await Promise.all([client.connect(), client.connect(), client.ping()])).toEqual([client, client, 'PONG']);
    expect(await client.connect()).toBe(client);
    expect(proxy.accepted).toBe(1);
    expect(driven.errors).toEqual([]);
  });

  it('calls methods of node-redis itself once it is connected', async () => {
    await using server = await startRedisServer();
    await using driven = await drive(nodeRedisClient(server.url));
    const methodOf = (client: object): unknown => Reflect.get(client, 'sendCommand');
    const own = methodOf(driven.client);
    await driven.client.ping();
    await driven.changed(1);
    expect(methodOf(driven.client)).not.toBe(own);
    const { createClient } = (await load(version)) as unknown as typeof import('redis');
    expect(methodOf(driven.client)).toBe(methodOf(createClient()));
  });
});

async function build() {
  return (await drive(nodeRedisClient('redis://localhost:6379'))).client;
}
