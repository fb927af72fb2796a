import { connect } from 'node:net';
import { once } from 'node:events';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ListTablesCommand,
  PutItemCommand,
  type DynamoDBClientConfig,
} from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import { startDynamoDBServer, type DynamoDBServer } from '../../src/testing/index.js';

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function start(options?: Parameters<typeof startDynamoDBServer>[0]): Promise<DynamoDBServer> {
  const server = await startDynamoDBServer(options);
  cleanUps.push(() => server.close());
  return server;
}

function client(server: DynamoDBServer, config: DynamoDBClientConfig = {}): DynamoDBClient {
  const dynamodb = new DynamoDBClient({ ...server.clientConfig, ...config });
  cleanUps.push(() => dynamodb.destroy());
  return dynamodb;
}

const createTable = (): CreateTableCommand =>
  new CreateTableCommand({
    TableName: 'links',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'slug', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'slug', KeyType: 'HASH' }],
  });
const describeTable = (): DescribeTableCommand => new DescribeTableCommand({ TableName: 'links' });
const put = (): PutItemCommand => new PutItemCommand({ TableName: 'links', Item: { slug: { S: 'a' } } });

describe('startDynamoDBServer', () => {
  it('serves real clients over TCP, on a free loopback port', async () => {
    const server = await start();
    const dynamodb = client(server);

    expect(server.endpoint).toBe(`http://127.0.0.1:${server.port}`);
    expect(await dynamodb.send(new ListTablesCommand())).toMatchObject({ TableNames: [] });
  });

  it('has a new table ready at once', async () => {
    const dynamodb = client(await start());

    await dynamodb.send(createTable());

    expect((await dynamodb.send(describeTable())).Table?.TableStatus).toBe('ACTIVE');
    await dynamodb.send(put());
  });

  it('keeps a new table in CREATING for createTableMs', async () => {
    const dynamodb = client(await start({ createTableMs: 60_000 }));

    await dynamodb.send(createTable());

    expect((await dynamodb.send(describeTable())).Table?.TableStatus).toBe('CREATING');
  });

  it('listens on the port that it is given, and rejects when that is taken', async () => {
    const first = await start();
    const { port } = first;
    await expect(startDynamoDBServer({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first.close();

    expect((await start({ port })).port).toBe(port);
  });

  it('closes while requests are under way, and is closed once', async () => {
    const server = await start();
    const dynamodb = client(server, { maxAttempts: 1 });
    await dynamodb.send(createTable());
    const requests = Promise.allSettled(Array.from({ length: 40 }, () => dynamodb.send(put())));

    await Promise.all([server.close(), server.close()]);

    await requests;
    await expect(once(connect(server.port, server.host), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('survives a client that is cut off in the middle of a request', async () => {
    const server = await start();
    const socket = connect(server.port, server.host);
    await once(socket, 'connect');
    socket.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf a');
    await client(server).send(new ListTablesCommand());

    socket.resetAndDestroy();
    await once(socket, 'close');

    await expect(client(server).send(new ListTablesCommand())).resolves.toBeDefined();
  });

  it('is disposable', async () => {
    let port: number;
    {
      await using server = await startDynamoDBServer();
      port = server.port;
      await client(server).send(new ListTablesCommand());
    }
    await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
