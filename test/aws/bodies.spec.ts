import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { InvokeWithResponseStreamCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { awsClient } from '../../src/aws/index.js';
import type { ClientLifecycle } from '../../src/index.js';
import { OBJECT, startAwsServer, type AwsServer } from '../support/aws-server.js';
import { bootApp, clientsOf, recordEvents, registryOf, rejection } from '../support/boot-app.js';
import { openClient, stateOf } from './open-client.js';

let server: AwsServer;

beforeEach(async () => {
  server = await startAwsServer();
});

afterEach(() => server.close());

const refusal = expect.objectContaining({ name: 'ClientsClosedError', code: 'CLIENTS_CLOSED' }) as Error;
const object = { Bucket: 'bucket', Key: 'key' };

function declareS3(options: object = {}, lifecycle: ClientLifecycle = {}) {
  return awsClient(async () => S3Client, { ...server.clientConfig, forcePathStyle: true, ...options }, lifecycle);
}

async function getObject(client: S3Client): Promise<Readable> {
  const { Body } = await client.send(new GetObjectCommand(object));
  return Body as Readable;
}

/** Without listening to errors, as `once` of node:events would. */
function closeOf(body: Readable): Promise<void> {
  return new Promise((resolve) => {
    body.once('close', resolve);
  });
}

describe('a response body', () => {
  it('is read to its end before the client closes', async () => {
    const { client, close } = await openClient(declareS3());
    server.holdBodies();
    const body = await getObject(client);

    const closed = close();
    const content = buffer(body);
    expect(await stateOf(closed)).toBe('pending');
    server.release();

    expect(Buffer.compare(await content, OBJECT)).toBe(0);
    await closed;
    await server.disconnected();
    expect(server.count('S3.GetObject')).toBe(1);
  });

  it('is waited for when nobody has begun to read it yet', async () => {
    const { client, close } = await openClient(declareS3());
    const body = await getObject(client);

    const closed = close();
    expect(await stateOf(closed)).toBe('pending');

    expect(await buffer(body)).toHaveLength(OBJECT.length);
    await closed;
  });

  it('is waited for when it is read as a web stream or as a text', async () => {
    const { client, close } = await openClient(declareS3());
    const [one, two] = await Promise.all([1, 2].map(() => client.send(new GetObjectCommand(object))));

    const closed = close();
    const text = await one!.Body!.transformToString();
    expect(await stateOf(closed)).toBe('pending');
    const web = await new Response(two!.Body!.transformToWebStream()).arrayBuffer();

    await closed;
    expect(text).toHaveLength(OBJECT.length);
    expect(web.byteLength).toBe(OBJECT.length);
  });

  it('is not waited for when its reader destroys it', async () => {
    const { client, close } = await openClient(declareS3());
    server.holdBodies();
    const body = await getObject(client);

    const closed = close();
    body.destroy();

    await closed;
    await server.disconnected();
    expect(server.count('S3.GetObject')).toBe(1);
  });

  it('is not waited for when the server breaks it off, nor asked for again', async () => {
    const { client, close } = await openClient(declareS3());
    server.holdBodies();
    const body = await getObject(client);
    const broken = rejection(buffer(body));

    const closed = close();
    await server.close();

    expect(await broken).toBeInstanceOf(Error);
    await closed;
    expect(server.count('S3.GetObject')).toBe(1);
  });

  it('is broken off with CLIENTS_CLOSED when the client is destroyed', async () => {
    const { client, close, destroy } = await openClient(declareS3());
    server.holdBodies();
    const body = await getObject(client);
    const broken = rejection(buffer(body));
    const closed = close();

    await destroy();

    expect(await broken).toEqual(refusal);
    await closed;
    await server.disconnected();
  });

  it('that nobody reads or listens to is dropped without an error that would end the process', async () => {
    const { client, close, destroy } = await openClient(declareS3());
    server.holdBodies();
    const body = await getObject(client);
    const closed = close();
    const ended = closeOf(body);

    await destroy();

    await ended;
    await closed;
    await server.disconnected();
    expect(body.errored).toBeNull();
  });

  it("is broken off alone, without other clients' bodies, when the caller owns the request handler", async () => {
    const requestHandler = new NodeHttpHandler();
    const mine = await openClient(declareS3({ requestHandler }));
    const other = await openClient(declareS3({ requestHandler }));
    server.holdBodies();
    const broken = rejection(buffer(await getObject(mine.client)));
    const whole = buffer(await getObject(other.client));

    await mine.destroy();
    expect(await broken).toEqual(refusal);
    server.release();

    expect(await whole).toHaveLength(OBJECT.length);
    await other.close();
    requestHandler.destroy();
  });

  it('is not waited for when the answer has none', async () => {
    const { client, close } = await openClient(declareS3());
    await client.send(new HeadObjectCommand(object));

    await close();
    await server.disconnected();
    expect(server.count('S3.HeadObject')).toBe(1);
  });
});

describe('an application', () => {
  it('closes gracefully while a body is read slowly', async () => {
    const app = await bootApp({ imports: [clientsOf({ s3: declareS3() })] });
    const registry = registryOf(app);
    const events = recordEvents(registry);
    const body = await getObject((await registry.get('s3')) as S3Client);
    let received = 0;

    const closed = app.close();
    for await (const chunk of body) received += (chunk as Buffer).length;
    await closed;

    expect(received).toBe(OBJECT.length);
    expect(events.map(({ type }) => type)).toEqual(['creating', 'created', 'closing', 'closed']);
  });

  it('waits no longer than closeTimeout for a body that nobody reads', async () => {
    const clients = { s3: declareS3({}, { closeTimeout: 200 }) };
    const app = await bootApp({ imports: [clientsOf(clients)] });
    const registry = registryOf(app);
    const events = recordEvents(registry);
    const body = await getObject((await registry.get('s3')) as S3Client);
    const ended = closeOf(body);

    await app.close();

    await ended;
    await server.disconnected();
    expect(events.at(-1)).toMatchObject({
      type: 'closeFailed',
      error: { message: 'close() did not end within 200 ms; it was destroyed by force' },
    });
  });
});

describe('an upload', () => {
  it('is sent to its end before the client closes', async () => {
    const { client, close } = await openClient(declareS3());
    const Body = new PassThrough();
    const request = client.send(new PutObjectCommand({ ...object, Body, ContentLength: 10 }));
    Body.write('hello');
    await server.arrived('S3.PutObject');

    const closed = close();
    expect(await stateOf(closed)).toBe('pending');
    Body.end('world');

    await request;
    await closed;
    expect(server.count('S3.PutObject')).toBe(1);
  });

  it.each([
    ['small', 10],
    ['so large that the SDK asks first, over an agent of its own', 4 * 1024 * 1024],
  ])('is ended when the client is destroyed, and not sent again: %s', async (_, ContentLength) => {
    const { client, close, destroy } = await openClient(declareS3());
    const Body = new PassThrough();
    const request = rejection(client.send(new PutObjectCommand({ ...object, Body, ContentLength })));
    Body.write('hello');
    await server.arrived('S3.PutObject');
    const closed = close();

    await destroy();

    expect(await request).toEqual(refusal);
    await closed;
    await server.disconnected();
    expect(server.count('S3.PutObject')).toBe(1);
  });
});

describe('a stream of events', () => {
  const declareLambda = () => awsClient(async () => LambdaClient, server.clientConfig);
  const command = new InvokeWithResponseStreamCommand({ FunctionName: 'f' });

  it('is read to its end before the client closes', async () => {
    const { client, close } = await openClient(declareLambda());
    server.holdBodies();
    const { EventStream } = await client.send(command);
    const chunks: string[] = [];
    const reading = (async () => {
      for await (const { PayloadChunk } of EventStream!) {
        if (PayloadChunk?.Payload) chunks.push(Buffer.from(PayloadChunk.Payload).toString());
      }
    })();

    const closed = close();
    expect(await stateOf(closed)).toBe('pending');
    server.release();
    await reading;
    await closed;

    expect(chunks).toEqual(['first', 'second']);
    await server.disconnected();
  });

  it('is broken off when the client is destroyed', async () => {
    const { client, destroy } = await openClient(declareLambda());
    server.holdBodies();
    const { EventStream } = await client.send(command);
    const reading = rejection(
      (async () => {
        for await (const event of EventStream!) void event;
      })(),
    );

    await destroy();

    expect(await reading).toBeInstanceOf(Error);
    await server.disconnected();
    expect(server.count('Lambda.InvokeWithResponseStream')).toBe(1);
  });
});
