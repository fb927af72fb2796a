import { CreateTableCommand, DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBServer } from '../../src/testing/index.js';

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

/** A counter in a DynamoDB server, read past whatever stands between it and the client under test. */
export async function createCounter(server: DynamoDBServer): Promise<{ hits(): Promise<number>; close(): void }> {
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
