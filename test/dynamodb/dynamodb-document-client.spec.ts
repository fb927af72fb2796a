import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { getClientToken } from '../../src/clients.tokens.js';
import {
  DYNAMODB_CLIENT,
  DYNAMODB_DOCUMENT_CLIENT,
  InjectDynamoDB,
  InjectDynamoDBDocument,
  dynamoDBClient,
  dynamoDBDocumentClient,
  type DynamoDBDocumentOptions,
} from '../../src/dynamodb/index.js';
import { startDynamoDBServer, type DynamoDBServer } from '../../src/testing/index.js';
import { buildClient } from '../support/build-client.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { createCounter, expectToAnswerRequests, hit } from './counter-table.js';

let server: DynamoDBServer;
let proxy: TcpProxy;
let counter: Awaited<ReturnType<typeof createCounter>>;
let base: DynamoDBClient;

const { blueprint: onBase } = dynamoDBClient();
const { blueprint } = dynamoDBDocumentClient();
const refusal = expect.objectContaining({ name: 'ClientsClosedError', code: 'CLIENTS_CLOSED' }) as Error;
const documentHit = (): UpdateCommand =>
  new UpdateCommand({
    TableName: 'counters',
    Key: { id: 'hits' },
    UpdateExpression: 'ADD n :one',
    ExpressionAttributeValues: { ':one': 1 },
  });

const build = (options?: DynamoDBDocumentOptions): Promise<DynamoDBDocumentClient> =>
  buildClient(dynamoDBDocumentClient(options), { dependencies: [base] });

const buildWith = (factoryOptions: object): Promise<DynamoDBDocumentClient> =>
  buildClient(dynamoDBDocumentClient(), { dependencies: [base], factoryOptions });

const putUndefined = (): PutCommand =>
  new PutCommand({ TableName: 'counters', Item: { id: 'a', map: { none: undefined } } });

function findProblem(options: unknown): string | undefined {
  return dynamoDBDocumentClient(options as DynamoDBDocumentOptions).blueprint.findProblem({ fromFactory: false });
}

beforeEach(async () => {
  server = await startDynamoDBServer();
  proxy = await startTcpProxy(server);
  counter = await createCounter(server);
  const config: DynamoDBClientConfig = { ...server.clientConfig, endpoint: `http://${proxy.host}:${proxy.port}` };
  base = await buildClient(dynamoDBClient(config));
});

afterEach(async () => {
  await onBase.driver.destroy?.(base);
  counter.close();
  await proxy.close();
  await server.close();
});

describe('building', () => {
  it("builds the SDK's own document client on the client named in from", async () => {
    const documents = await build();
    await documents.send(new PutCommand({ TableName: 'counters', Item: { id: 'a', tags: ['x'], n: 1 } }));

    expect(documents).toBeInstanceOf(DynamoDBDocumentClient);
    expect((await documents.send(new GetCommand({ TableName: 'counters', Key: { id: 'a' } }))).Item).toEqual({
      id: 'a',
      tags: ['x'],
      n: 1,
    });
    expect(dynamoDBDocumentClient().kind).toBe('dynamodb-document');
    expect(blueprint.inject).toEqual([getClientToken('dynamodb')]);
    expect(dynamoDBDocumentClient({ from: 'orders' }).blueprint.inject).toEqual([getClientToken('orders')]);
  });

  it('keeps the options of two document clients on one base apart', async () => {
    const lenient = await build({ marshallOptions: { removeUndefinedValues: true } });
    const strict = await build({ marshallOptions: { removeUndefinedValues: false } });

    await lenient.send(putUndefined());
    await expect(strict.send(putUndefined())).rejects.toThrow('removeUndefinedValues');
    expect(base.config).not.toHaveProperty('translateConfig');
  });

  it("leaves the caller's options as they are", async () => {
    const marshallOptions = Object.freeze({ removeUndefinedValues: true });
    const documents = await build({ marshallOptions });

    await expect(documents.send(documentHit())).resolves.toBeDefined();
  });

  it('goes through the middleware of its base, whenever it was added', async () => {
    const documents = await build();
    const seen: string[] = [];
    base.middlewareStack.add((next, context) => (args) => next((seen.push(context.commandName ?? ''), args)), {
      step: 'initialize',
    });

    await documents.send(documentHit());

    expect(seen).toEqual(['UpdateItemCommand']);
  });

  it('refuses a base that is not a DynamoDB client', async () => {
    const building = buildClient(dynamoDBDocumentClient({ from: 'redis' }), { dependencies: [{ send() {} }] });

    await expect(building).rejects.toThrow('"redis", named in "from", is not a DynamoDB client');
  });
});

describe('close', () => {
  it('answers the requests in flight, each of them sent once, and leaves the base open', async () => {
    const documents = await build();
    const send = () => documents.send(documentHit());
    await expectToAnswerRequests(counter, proxy, send, () => blueprint.driver.close?.(documents));
    await base.send(hit());
  });

  it('of the base waits for requests of the document client too', async () => {
    const documents = await build();
    proxy.delay(20);
    const request = documents.send(documentHit());

    await onBase.driver.close?.(base);

    await request;
    expect(await counter.hits()).toBe(1);
  });

  it('of the base refuses later calls of the document client', async () => {
    const documents = await build();
    await blueprint.driver.close?.(documents);
    await onBase.driver.close?.(base);

    await expect(documents.send(documentHit())).rejects.toEqual(refusal);
    expect(proxy.accepted).toBe(0);
  });

  it('of the base does not wait again for requests that the document client gave up', async () => {
    const documents = await build();
    proxy.holdReplies();
    const request = documents.send(documentHit()).catch((error: unknown) => error);
    await vi.waitFor(async () => expect(await counter.hits()).toBe(1));
    void blueprint.driver.close?.(documents);
    await blueprint.driver.destroy?.(documents);

    await onBase.driver.close?.(base);

    expect(await request).toEqual(refusal);
    await proxy.disconnected();
    expect(await counter.hits()).toBe(1);
  });
});

describe('check', () => {
  it('asks through the base', async () => {
    const documents = await build();
    await blueprint.driver.check?.(documents);

    await proxy.refuse();
    await expect(blueprint.driver.check?.(documents)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('options', () => {
  it.each<[string, unknown]>([
    ['from', ''],
    ['from', 7],
    ['from', Symbol('dynamodb')],
    ['marshallOptions', true],
    ['unmarshallOptions', null],
  ])('that cannot work are named: %s = $1', (key, value) => {
    expect(findProblem({ [key]: value })).toContain(`"${key}"`);
  });

  it('are optional', () => {
    expect(findProblem(undefined)).toBeUndefined();
    expect(findProblem({ from: 'orders', marshallOptions: { convertEmptyValues: true } })).toBeUndefined();
  });

  it('takes options from a factory, all but the base', async () => {
    const documents = await buildWith({ marshallOptions: { removeUndefinedValues: true } });
    await documents.send(putUndefined());
    await expect(buildWith({ from: 'orders' })).rejects.toThrow('"from"');
  });
});

describe('the decorators', () => {
  it('inject the clients of the default names, or of others', async () => {
    @Injectable()
    class Repository {
      @InjectDynamoDB() readonly dynamodb!: unknown;
      @InjectDynamoDBDocument() readonly documents!: unknown;
      @InjectDynamoDB('orders') readonly orders!: unknown;
      @InjectDynamoDBDocument('orderDocuments') readonly orderDocuments!: unknown;
    }
    const tokens = [
      DYNAMODB_CLIENT,
      DYNAMODB_DOCUMENT_CLIENT,
      getClientToken('orders'),
      getClientToken('orderDocuments'),
    ];
    const app = await Test.createTestingModule({
      providers: [Repository, ...tokens.map((provide) => ({ provide, useValue: provide }))],
    }).compile();

    expect(app.get(Repository)).toEqual({
      dynamodb: getClientToken('dynamodb'),
      documents: getClientToken('dynamodbDocument'),
      orders: getClientToken('orders'),
      orderDocuments: getClientToken('orderDocuments'),
    });
    await app.close();
  });
});
