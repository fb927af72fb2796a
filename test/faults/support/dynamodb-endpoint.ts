import { createServer, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { startDynamoDBServer } from '../../../src/testing/index.js';
import { listen } from '../../../src/testing/listen.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';

export interface DynamoDBEndpoint extends AsyncDisposable {
  /** The proxy that clients connect to, which a test makes fail. */
  readonly proxy: TcpProxy;
  readonly clientConfig: {
    endpoint: string;
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string };
  };
  /** How many requests to put each item have arrived, by the value of its key. */
  readonly puts: ReadonlyMap<string, number>;
}

export const TABLE = 'visits';

/** A DynamoDB endpoint with a table `visits` and the key `id`, which counts what reaches it, behind a TCP proxy. */
export async function startDynamoDBEndpoint(): Promise<DynamoDBEndpoint> {
  const server = await startDynamoDBServer();
  const setup = new DynamoDBClient(server.clientConfig);
  await setup.send(
    new CreateTableCommand({
      TableName: TABLE,
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  setup.destroy();

  const puts = new Map<string, number>();
  const counter = createServer((incoming, outgoing) => {
    void (async () => {
      const body = await buffer(incoming);
      if (String(incoming.headers['x-amz-target']).endsWith('.PutItem')) {
        const { Item } = JSON.parse(body.toString()) as { Item: { id: { S: string } } };
        puts.set(Item.id.S, (puts.get(Item.id.S) ?? 0) + 1);
      }
      const { method, url, headers } = incoming;
      const onward = request({ host: server.host, port: server.port, method, path: url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      onward.end(body);
    })().catch(() => outgoing.destroy());
  });
  const { port } = await listen(counter);
  const proxy = await startTcpProxy({ port });
  return {
    proxy,
    puts,
    clientConfig: { ...server.clientConfig, endpoint: `http://${proxy.host}:${proxy.port}` },
    async [Symbol.asyncDispose]() {
      await proxy.close();
      counter.closeAllConnections();
      counter.close();
      await server.close();
    },
  };
}
