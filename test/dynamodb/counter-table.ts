import { CreateTableCommand, DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, vi } from 'vitest';
import type { DynamoDBServer } from '../../src/testing/index.js';
import type { TcpProxy } from '../support/tcp-proxy.js';

const TableName = 'counters';
const Key = { id: { S: 'hits' } };

/** Adds one to the counter: a request that the server carries out twice shows. */
export const hit = (): UpdateItemCommand =>
  new UpdateItemCommand({
    TableName,
    Key,
    UpdateExpression: 'ADD n :one',
    ExpressionAttributeValues: { ':one': { N: '1' } },
  });

interface Counter {
  hits(): Promise<number>;
  close(): void;
}

/** A counter in a DynamoDB server, read past whatever stands between it and the client under test. */
export async function createCounter(server: DynamoDBServer): Promise<Counter> {
  const dynamodb = new DynamoDBClient(server.clientConfig);
  await dynamodb.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    }),
  );
  return {
    async hits() {
      const { Item } = await dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
      return Number(Item?.['n']?.N ?? 0);
    },
    close: () => dynamodb.destroy(),
  };
}

/** Expects that closing waits for 40 requests whose replies are held back, each of which is sent once. */
export async function expectToAnswerRequests(
  counter: Counter,
  proxy: TcpProxy,
  send: () => Promise<unknown>,
  close: () => unknown,
): Promise<void> {
  proxy.holdReplies();
  const requests = Array.from({ length: 40 }, send);
  await vi.waitFor(async () => expect(await counter.hits()).toBe(40));
  let closed = false;

  const closing = Promise.resolve(close()).then(() => (closed = true));
  await new Promise(setImmediate);
  expect(closed).toBe(false);
  proxy.thaw();
  await closing;

  await expect(Promise.all(requests)).resolves.toHaveLength(40);
  expect(await counter.hits()).toBe(40);
}
