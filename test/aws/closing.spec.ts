import { Agent } from 'node:http';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClientsClosedError } from '../../src/index.js';
import { startAwsServer, type AwsServer } from '../support/aws-server.js';
import { rejection } from '../support/boot-app.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { openClient, stateOf } from './open-client.js';
import { SERVICES } from './services.js';

let server: AwsServer;

beforeEach(async () => {
  server = await startAwsServer();
});

afterEach(() => server.close());

const refusal = expect.objectContaining({ name: 'ClientsClosedError', code: 'CLIENTS_CLOSED' }) as Error;
const subjects = (count: number): string[] => Array.from({ length: count }, (_, index) => `number-${index}`);
const seen = (): string[] => server.seen.map(({ subject }) => subject).toSorted();

describe.each(SERVICES)('a client of $title', ({ declare, operation, send }) => {
  it('answers what is in flight when it closes, each sent once', async () => {
    const { client, close } = await openClient(declare(server.clientConfig));
    server.hold(operation);
    const requests = subjects(60).map((subject) => send(client, subject)); // more than the SDK opens sockets
    await server.arrived(operation, 50);

    const closed = close();
    expect(await stateOf(closed)).toBe('pending');
    server.release();
    await closed;

    await expect(Promise.all(requests)).resolves.toHaveLength(60);
    expect(seen()).toEqual(subjects(60).toSorted());
    await server.disconnected();
  });

  it('ends what is in flight when it is destroyed, and sends nothing again', async () => {
    const { client, close, destroy } = await openClient(declare(server.clientConfig));
    server.hold(operation);
    const requests = subjects(60).map((subject) => send(client, subject));
    const outcomes = Promise.allSettled(requests);
    await server.arrived(operation, 50);

    const closed = close();
    await destroy();

    expect(await outcomes).toEqual(requests.map(() => ({ status: 'rejected', reason: refusal })));
    await closed;
    await server.disconnected();
    expect(new Set(seen()).size).toBe(50);
    expect(server.seen).toHaveLength(50);
  });

  it('refuses requests once it closes, without a socket, and says where to stop them', async () => {
    const { client, close } = await openClient(declare(server.clientConfig), 'jobs');
    await send(client, 'first');

    const closed = close();
    const during = await rejection(send(client, 'second'));
    await closed;
    const after = await rejection(send(client, 'third'));

    for (const error of [during, after]) {
      expect(error).toBeInstanceOf(ClientsClosedError);
      expect(error).toMatchObject({ code: 'CLIENTS_CLOSED', client: 'jobs' });
      expect(error.message).toMatch(
        /"jobs" has closed and takes no request any more.*jobs and pollers.*onModuleDestroy/,
      );
    }
    expect(seen()).toEqual(['first']);
    expect(server.accepted).toBe(1);
  });

  it('rejects a request that waits for its next attempt as soon as it is destroyed', async () => {
    server.refuse(operation, { status: 503, code: 'ServiceUnavailable' });
    const { client, destroy } = await openClient(declare({ ...server.clientConfig, maxAttempts: 10 }));
    const request = rejection(send(client, 'again'));
    await server.arrived(operation, 4);
    const attempts = server.count(operation);

    await destroy();

    expect(await request).toEqual(refusal);
    expect(server.count(operation)).toBe(attempts);
  });

  it('lets a request that is retried succeed while it closes', async () => {
    const proxy = await startTcpProxy(server);
    await proxy.refuse();
    const endpoint = `http://${proxy.host}:${proxy.port}`;
    const { client, close } = await openClient(declare({ ...server.clientConfig, endpoint, maxAttempts: 20 }));
    const request = send(client, 'again');

    const closed = close();
    await proxy.accept();
    await closed;

    await request;
    expect(seen()).toEqual(['again']);
    await proxy.close();
  });
});

describe.each<[string, () => NodeHttpHandler | { httpAgent: Agent }]>([
  ['a handler', () => new NodeHttpHandler()],
  ['an agent', () => ({ httpAgent: new Agent({ keepAlive: true, maxSockets: 50 }) })],
])('%s of the caller', (_, make) => {
  it.each(SERVICES)('stays open for another client: $title', async ({ declare, operation, send }) => {
    const requestHandler = make();
    const options = { ...server.clientConfig, requestHandler };
    const mine = await openClient(declare(options));
    const other = await openClient(declare(options));
    server.hold(operation);
    const ended = rejection(send(mine.client, 'mine'));
    const answered = send(other.client, 'other');
    await server.arrived(operation, 2);

    const closed = mine.close();
    await mine.destroy();
    expect(await ended).toEqual(refusal);
    server.release();

    await answered;
    await closed;
    await send(other.client, 'later');
    expect(seen()).toEqual(['later', 'mine', 'other']);
    await other.close();
    if (requestHandler instanceof NodeHttpHandler) requestHandler.destroy();
    else requestHandler.httpAgent.destroy();
    await server.disconnected();
  });
});

it.each(SERVICES)('another client that shares its handler is not reset: $title', async (service) => {
  const { declare, operation, send } = service;
  const mine = await openClient(declare(server.clientConfig));
  const { requestHandler } = (mine.client as unknown as { config: { requestHandler: NodeHttpHandler } }).config;
  const other = await openClient(declare({ ...server.clientConfig, requestHandler }));
  server.hold(operation);
  const answered = send(other.client, 'other');
  await server.arrived(operation);

  const closed = mine.close();
  expect(await stateOf(closed)).toBe('pending');
  server.release();
  await closed;

  await answered;
  expect(seen()).toEqual(['other']);
});
