import { DynamoDB, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  S3,
  S3Client,
  waitUntilObjectExists,
} from '@aws-sdk/client-s3';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { awsClient } from '../../src/aws/index.js';
import { startAwsServer, type AwsServer } from '../support/aws-server.js';
import { rejection } from '../support/boot-app.js';
import { openClient, stateOf } from './open-client.js';

// What consists of several requests.
let server: AwsServer;

beforeEach(async () => {
  server = await startAwsServer();
});

afterEach(() => server.close());

const refusal = expect.objectContaining({ name: 'ClientsClosedError', code: 'CLIENTS_CLOSED' }) as Error;
const QueueUrl = 'https://sqs.eu-west-1.amazonaws.com/1/jobs';

describe('a long poll', () => {
  const declareSqs = () => awsClient(async () => SQSClient, { ...server.clientConfig, useQueueUrlAsEndpoint: false });
  const poll = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 });

  it('is answered while the client closes, so that no message is lost, and the next one refused', async () => {
    const { client, close } = await openClient(declareSqs());
    server.hold('SQS.ReceiveMessage');
    const answer = client.send(poll);
    await server.arrived('SQS.ReceiveMessage');

    const closed = close();
    server.release();

    expect((await answer).Messages).toHaveLength(1);
    await expect(client.send(poll)).rejects.toEqual(refusal);
    await expect(client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: 'receipt' }))).rejects.toEqual(
      refusal,
    );
    await closed;
    expect(server.count('SQS.ReceiveMessage')).toBe(1);
  });

  it('is ended once, when the client is destroyed', async () => {
    const { client, close, destroy } = await openClient(declareSqs());
    server.hold('SQS.ReceiveMessage');
    const ended = rejection(client.send(poll));
    await server.arrived('SQS.ReceiveMessage');
    const closed = close();

    await destroy();

    expect(await ended).toEqual(refusal);
    await closed;
    await server.disconnected();
    expect(server.count('SQS.ReceiveMessage')).toBe(1);
  });

  it("is ended by the caller's own signal, and then holds up no closing", async () => {
    const { client, close } = await openClient(declareSqs());
    server.hold('SQS.ReceiveMessage');
    const stop = new AbortController();
    const ended = rejection(client.send(poll, { abortSignal: stop.signal }));
    await server.arrived('SQS.ReceiveMessage');

    const closed = close();
    stop.abort();

    expect(await ended).toMatchObject({ name: 'AbortError' });
    await closed;
    expect(server.count('SQS.ReceiveMessage')).toBe(1);
  });
});

describe('a paginator', () => {
  it('gets the page that is in flight, and is refused the next', async () => {
    const { client, close } = await openClient(
      awsClient(async () => S3Client, { ...server.clientConfig, forcePathStyle: true }),
    );
    const pages = paginateListObjectsV2({ client }, { Bucket: 'bucket' });
    await pages.next();
    server.hold('S3.ListObjectsV2');
    const second = pages.next();
    await server.arrived('S3.ListObjectsV2', 2);

    const closed = close();
    server.release();

    expect(((await second).value as { Contents: object[] }).Contents).toEqual([{ Key: 'key 2' }]);
    await expect(pages.next()).rejects.toEqual(refusal);
    await closed;
    expect(server.seen.map(({ subject }) => subject)).toEqual(['bucket', 'page 2']);
  });
});

describe('a waiter', () => {
  it('stops with CLIENTS_CLOSED at its next request', async () => {
    const { client, close } = await openClient(awsClient(async () => DynamoDBClient, server.clientConfig));
    const waiting = rejection(
      waitUntilTableExists({ client, maxWaitTime: 3_600, minDelay: 0.001, maxDelay: 0.002 }, { TableName: 'links' }),
    );
    await server.arrived('DynamoDB.DescribeTable', 2);

    await close();

    expect(await waiting).toEqual(refusal);
  });

  it('of an aggregated client stops with CLIENTS_CLOSED too', async () => {
    const { client, close } = await openClient(
      awsClient(async () => S3, { ...server.clientConfig, forcePathStyle: true }),
    );
    const waiting = rejection(
      waitUntilObjectExists(
        { client, maxWaitTime: 3_600, minDelay: 0.001, maxDelay: 0.002 },
        { Bucket: 'b', Key: 'missing' },
      ),
    );
    await server.arrived('S3.HeadObject', 2);

    await close();

    expect(await waiting).toEqual(refusal);
  });
});

describe('a request that the SDK sends in the middle of another', () => {
  it('is answered while the client closes', async () => {
    const { client, close } = await openClient(
      awsClient(async () => S3Client, { ...server.clientConfig, forcePathStyle: true }),
    );
    const Bucket = 'bucket--euw1-az1--x-s3'; // S3 Express: requests are signed for a session
    const answer = client.send(new ListObjectsV2Command({ Bucket }));
    expect(server.seen).toEqual([]);

    const closed = close();

    await expect(answer).resolves.toMatchObject({ Contents: [{ Key: 'key 1' }] });
    await closed;
    expect(server.seen.map(({ operation }) => operation)).toEqual(['S3.CreateSession', 'S3.ListObjectsV2']);
    await expect(client.send(new GetObjectCommand({ Bucket, Key: 'key' }))).rejects.toEqual(refusal);
  });
});

describe('a document client that the caller makes on it', () => {
  it.each([
    ['DynamoDBClient', DynamoDBClient],
    ['DynamoDB', DynamoDB],
  ])('is drained with it, and refuses requests with it: DynamoDBDocument on %s', async (_, Class) => {
    const { client, close } = await openClient(
      awsClient(async () => Class, server.clientConfig),
      'tables',
    );
    const documents = DynamoDBDocument.from(client);
    server.hold('DynamoDB.GetItem');
    const answer = documents.get({ TableName: 'links', Key: { id: 'a' } });
    await server.arrived('DynamoDB.GetItem');

    const closed = close();
    expect(await stateOf(closed)).toBe('pending');
    server.release();
    await closed;

    expect((await answer).Item).toEqual({ id: 'a' });
    await expect(documents.get({ TableName: 'links', Key: { id: 'b' } })).rejects.toMatchObject({ client: 'tables' });
    expect(server.seen).toHaveLength(1);
  });
});
