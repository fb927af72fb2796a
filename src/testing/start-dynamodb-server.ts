import { Server, type IncomingMessage } from 'node:http';
import { importPackage } from '../definition/load-package.js';
import { listen } from './listen.js';
import type { TestServer } from './test-server.js';

const INSTALL = 'npm install --save-dev dynalite';

/** How a DynamoDB test server is started. */
export interface DynamoDBServerOptions {
  /** The port to listen on. Default a free one. */
  port?: number;
  /** Milliseconds that a new table stays in `CREATING`. Default 0. */
  createTableMs?: number;
  /** Milliseconds that a changed table stays in `UPDATING`. Default 0. */
  updateTableMs?: number;
  /** Milliseconds that a deleted table stays in `DELETING`. Default 0. */
  deleteTableMs?: number;
}

/** A running DynamoDB test server. */
export interface DynamoDBServer extends TestServer {
  /** Where it listens, as `http://host:port`. */
  readonly endpoint: string;
  /** The options of a DynamoDB client of this server. The credentials are made up; the server accepts any. */
  readonly clientConfig: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
}

/**
 * Starts a DynamoDB server without any table in this process, for tests and demos: no Docker, no Java, no account.
 *
 * It is the package `dynalite`, which keeps its tables in memory and knows the operations on tables and items, but no
 * transactions and no PartiQL. Rejects with `CLIENTS_MISSING_PACKAGE` if that package is not installed, and with the
 * system's error if the port is taken.
 *
 * @example
 * const server = await startDynamoDBServer();
 * const dynamodb = dynamoDBClient(server.clientConfig);
 * afterAll(() => server.close());
 */
export async function startDynamoDBServer(options: DynamoDBServerOptions = {}): Promise<DynamoDBServer> {
  const { port, createTableMs = 0, updateTableMs = 0, deleteTableMs = 0 } = options;
  const dynalite = await importPackage('dynalite', 'startDynamoDBServer()', importDynalite, INSTALL);
  const server = dynalite({ createTableMs, updateTableMs, deleteTableMs });
  server.on('request', ignoreAbortedRequest);
  const address = await listen(server, port);

  const shutDown = (): Promise<void> =>
    new Promise((resolve) => {
      // Not dynalite's own `close`: it closes the tables while requests still use them, and these then
      // throw where nobody can catch it. The tables are in memory and need no closing.
      Server.prototype.close.call(server, () => resolve());
      server.closeAllConnections();
    });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= shutDown());
  const endpoint = `http://${address.host}:${address.port}`;
  return {
    ...address,
    endpoint,
    clientConfig: {
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Dynalite throws the error of an aborted request where nobody can catch it, which would end the whole process. */
function ignoreAbortedRequest(request: IncomingMessage): void {
  request.removeAllListeners('error').on('error', () => {});
}

type Dynalite = (options: Required<Omit<DynamoDBServerOptions, 'port'>>) => Server;

async function importDynalite(): Promise<Dynalite> {
  // @ts-expect-error dynalite has no type declarations
  return ((await import('dynalite')) as { default: Dynalite }).default;
}
