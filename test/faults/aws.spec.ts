import { setTimeout as wait } from 'node:timers/promises';
import { InvokeWithResponseStreamCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { INestApplication } from '@nestjs/common';
import { PassThrough, type Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { awsClient } from '../../src/aws/index.js';
import { ClientDefinition } from '../../src/definition/client-definition.js';
import { SERVICES } from '../aws/services.js';
import { OBJECT, startAwsServer } from '../support/aws-server.js';
import { bootApp, clientsOf, registryOf } from '../support/boot-app.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { milliseconds, record } from './support/record.js';

/** Milliseconds. */
const CLOSE_TIMEOUT = 500;
const subjects = Array.from({ length: 60 }, (_, index) => `number-${index}`);
const refusal = expect.objectContaining({ code: 'CLIENTS_CLOSED' }) as Error;

/** An application with that one client. */
async function boot<T>(definition: ClientDefinition<T>): Promise<{ app: INestApplication; client: T }> {
  const impatient = new ClientDefinition<T>(definition.blueprint, { closeTimeout: CLOSE_TIMEOUT });
  const app = await bootApp({ imports: [clientsOf({ aws: impatient })] });
  return { app, client: (await registryOf(app).get('aws')) as T };
}

async function timedClose(app: INestApplication): Promise<number> {
  const start = performance.now();
  await app.close();
  return performance.now() - start;
}

describe('closing clients of the AWS SDK with requests in flight', () => {
  const answered = { requests: 0, slowest: 0 };
  const ended = { requests: 0, slowest: 0 };

  it.each(SERVICES)('answers each, sent once: $title', async ({ declare, operation, send }) => {
    await using server = await startAwsServer();
    const { app, client } = await boot(declare(server.clientConfig));
    server.hold(operation);
    const requests = Promise.all(subjects.map((subject) => send(client, subject)));
    await server.arrived(operation, 50); // the SDK's agent has 50 sockets
    const closed = timedClose(app);
    server.release();

    answered.slowest = Math.max(answered.slowest, await closed);
    expect(await requests).toHaveLength(60);
    await server.disconnected();
    expect(new Set(server.seen.map(({ subject }) => subject)).size).toBe(60);
    expect(server.seen).toHaveLength(60);
    answered.requests += 60;
  });

  it.each(SERVICES)('ends each at closeTimeout, sent once: $title', async ({ declare, operation, send }) => {
    await using server = await startAwsServer();
    const { app, client } = await boot(declare(server.clientConfig));
    server.hold(operation);
    const outcomes = Promise.allSettled(subjects.map((subject) => send(client, subject)));
    await server.arrived(operation, 50);

    const duration = await timedClose(app);

    expect(await outcomes).toEqual(subjects.map(() => ({ status: 'rejected', reason: refusal })));
    await server.disconnected();
    expect(server.seen).toHaveLength(50);
    expect(new Set(server.seen.map(({ subject }) => subject)).size).toBe(50);
    expect(duration).toBeLessThan(CLOSE_TIMEOUT + 1_000);
    ended.slowest = Math.max(ended.slowest, duration);
    ended.requests += 60;
  });

  afterAll(() =>
    record(
      'awsClosing',
      `${answered.requests} requests answered, each seen once, closing within ${milliseconds(answered.slowest)} of the first answer; ${ended.requests} never answered, 50 of each 60 seen, once, the others never sent; all CLIENTS_CLOSED, closing within ${milliseconds(ended.slowest)} with a closeTimeout of ${CLOSE_TIMEOUT} ms; 0 sockets`,
    ),
  );
});

describe('closing clients of the AWS SDK that retry', () => {
  let slowest = 0;
  let requests = 0;

  it.each(SERVICES)('ends requests between two attempts: $title', async ({ declare, operation, send }) => {
    await using server = await startAwsServer();
    server.refuse(operation, { status: 503, code: 'ServiceUnavailable' });
    const { app, client } = await boot(declare({ ...server.clientConfig, maxAttempts: 20 }));
    const request = send(client, 'again').catch((error: unknown) => error);
    await server.arrived(operation, 2);

    const duration = await timedClose(app);

    expect(await request).toEqual(refusal);
    expect(duration).toBeLessThan(CLOSE_TIMEOUT + 1_000);
    const attempts = server.seen.length;
    await wait(1_000); // longer than any of the waits between these attempts
    expect(server.seen).toHaveLength(attempts);
    slowest = Math.max(slowest, duration);
    requests += 1;
  });

  it.each(SERVICES)('ends requests to an endpoint that is down: $title', async ({ declare, send }) => {
    await using server = await startAwsServer();
    await using proxy = await startTcpProxy(server);
    await proxy.refuse();
    const endpoint = `http://${proxy.host}:${proxy.port}`;
    const { app, client } = await boot(declare({ ...server.clientConfig, endpoint, maxAttempts: 20 }));
    const request = send(client, 'again').catch((error: unknown) => error);

    const duration = await timedClose(app);
    expect(await request).toEqual(refusal);
    await proxy.accept();
    await wait(1_000);

    expect(server.seen).toEqual([]);
    expect(duration).toBeLessThan(CLOSE_TIMEOUT + 1_000);
    slowest = Math.max(slowest, duration);
    requests += 1;
  });

  afterAll(() =>
    record(
      'awsRetries',
      `${requests} requests, all CLIENTS_CLOSED, closing within ${milliseconds(slowest)} with a closeTimeout of ${CLOSE_TIMEOUT} ms; nothing sent after`,
    ),
  );
});

describe('closing clients of the AWS SDK with more than a request in flight', () => {
  const object = { Bucket: 'bucket', Key: 'key' };
  const told: string[] = [];

  it('lets a slow reader have the whole object', async () => {
    await using server = await startAwsServer();
    const { app, client } = await boot(
      awsClient(async () => S3Client, { ...server.clientConfig, forcePathStyle: true }),
    );
    const { Body } = await client.send(new GetObjectCommand(object));
    const closed = timedClose(app);
    let size = 0;
    for await (const chunk of Body as Readable) {
      size += (chunk as Buffer).length;
      await wait(1);
    }

    const duration = await closed;
    expect(size).toBe(OBJECT.length);
    expect(server.seen).toHaveLength(1);
    told.push(`an object read within ${milliseconds(duration)}, whole`);
  });

  it.each<[string, (server: Awaited<ReturnType<typeof startAwsServer>>) => Promise<INestApplication>]>([
    [
      'an object that nobody reads',
      async ({ clientConfig }) => {
        const definition = awsClient(async () => S3Client, { ...clientConfig, forcePathStyle: true });
        const { app, client } = await boot(definition);
        await client.send(new GetObjectCommand(object));
        return app;
      },
    ],
    [
      'an upload that nobody goes on with',
      async (server) => {
        const definition = awsClient(async () => S3Client, { ...server.clientConfig, forcePathStyle: true });
        const { app, client } = await boot(definition);
        const Body = new PassThrough();
        Body.write('begun');
        const upload = client.send(new PutObjectCommand({ ...object, Body, ContentLength: 8 * 1024 * 1024 }));
        upload.catch(() => {});
        await server.arrived('S3.PutObject');
        return app;
      },
    ],
    [
      'a stream of events',
      async (server) => {
        const { app, client } = await boot(awsClient(async () => LambdaClient, server.clientConfig));
        server.holdBodies();
        await client.send(new InvokeWithResponseStreamCommand({ FunctionName: 'f' }));
        return app;
      },
    ],
    [
      'a long poll',
      async (server) => {
        const { app, client } = await boot(awsClient(async () => SQSClient, server.clientConfig));
        server.hold('SQS.*');
        const QueueUrl = `${server.endpoint}/1/jobs`;
        client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 })).catch(() => {});
        await server.arrived('SQS.ReceiveMessage');
        return app;
      },
    ],
  ])('ends %s at closeTimeout', async (what, begin) => {
    await using server = await startAwsServer();
    const app = await begin(server);

    const duration = await timedClose(app);

    await server.disconnected();
    expect(server.seen).toHaveLength(1);
    expect(duration).toBeLessThan(CLOSE_TIMEOUT + 1_000);
    told.push(`${what} ended within ${milliseconds(duration)}`);
  });

  afterAll(() => record('awsBodies', `${told.join('; ')}; each seen once; 0 sockets`));
});
