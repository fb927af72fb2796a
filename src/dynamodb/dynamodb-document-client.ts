import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient, TranslateConfig } from '@aws-sdk/lib-dynamodb';
import { RequestsInFlight } from '../aws/requests-in-flight.js';
import { getClientToken } from '../clients.tokens.js';
import type { ClientDefinition } from '../definition/client-definition.js';
import { configurableClient, type KindLifecycle } from '../definition/configurable-client.js';
import { loadPackage } from '../definition/load-package.js';
import { checkReachable } from './check-reachable.js';

/** How a document client translates, and on which client it is built. */
export interface DynamoDBDocumentOptions extends TranslateConfig {
  /** The name of the DynamoDB client that it is built on. Default `'dynamodb'`. */
  from?: string;
}

/**
 * Declares a document client, which takes and returns plain JavaScript values, on a DynamoDB client declared beside it.
 *
 * It sends its requests through the client that it is built on and owns no socket. At shutdown it closes first, once
 * the requests in flight have been answered; later ones are rejected with `CLIENTS_CLOSED` once its base has closed.
 *
 * Wrong options make `forRoot` throw `CLIENTS_INVALID_OPTIONS`. Injecting the client without the package
 * `@aws-sdk/lib-dynamodb` fails with `CLIENTS_MISSING_PACKAGE`.
 *
 * @example
 * ClientsModule.forRoot({
 *   clients: {
 *     dynamodb: dynamoDBClient({ region: 'eu-west-1' }),
 *     dynamodbDocument: dynamoDBDocumentClient({ marshallOptions: { removeUndefinedValues: true } }),
 *   },
 * });
 */
export function dynamoDBDocumentClient(
  options?: DynamoDBDocumentOptions,
  lifecycle?: KindLifecycle<DynamoDBDocumentClient>,
): ClientDefinition<DynamoDBDocumentClient, TranslateConfig> {
  const from = options?.from ?? 'dynamodb';

  return configurableClient<DynamoDBDocumentClient, DynamoDBDocumentOptions>(
    {
      kind: 'dynamodb-document',
      inject: typeof from === 'string' ? [getClientToken(from)] : [],
      findProblem: (config) => findDocumentProblem(config, from),
      async create({ marshallOptions, unmarshallOptions }, name, base: DynamoDBClient) {
        if (!base?.config || !base.middlewareStack)
          throw new TypeError(`"${from}", named in "from", is not a DynamoDB client`);
        const sdk = await loadPackage(
          '@aws-sdk/lib-dynamodb',
          `Client "${name}"`,
          () => import('@aws-sdk/lib-dynamodb'),
        );
        // The SDK writes the translation into its base's config, where the next document client would overwrite it.
        const view: DynamoDBClient = Object.create(base, { config: { value: { ...base.config } } });
        const client = sdk.DynamoDBDocumentClient.from(view, {
          ...(marshallOptions && { marshallOptions: { ...marshallOptions } }),
          ...(unmarshallOptions && { unmarshallOptions: { ...unmarshallOptions } }),
        });
        RequestsInFlight.of(client, from);
        return client;
      },
      check: (client) =>
        RequestsInFlight.of(client).check(client, 'DynamoDB', (signal) => checkReachable(client, signal)),
      close: (client) => RequestsInFlight.of(client).drain(),
      // Its requests have had their time: the base, which closes next, need not wait for them again.
      destroy: (client) => RequestsInFlight.of(client).abandon(),
    },
    options,
    lifecycle,
  );
}

function findDocumentProblem(options: Readonly<DynamoDBDocumentOptions>, from: unknown): string | undefined {
  if (typeof from !== 'string' || from === '') return '"from" is not the name of a client';
  if (options.from !== undefined && options.from !== from) return '"from" cannot come from a factory';
  for (const key of ['marshallOptions', 'unmarshallOptions'] as const) {
    const value: unknown = options[key];
    if (value !== undefined && (typeof value !== 'object' || value === null)) return `"${key}" is not an object`;
  }
  return undefined;
}
