import type { DynamoDBClient, DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { declareAwsClient } from '../aws/declare-aws-client.js';
import type { ClientDefinition } from '../definition/client-definition.js';
import type { ClientOptionsFactory, KindLifecycle } from '../definition/configurable-client.js';
import type { Dependency } from '../definition/dependency.js';
import type { OptionsOrPromise } from '../definition/known-options.js';
import { loadPackage } from '../definition/load-package.js';
import { checkReachable } from './check-reachable.js';

/**
 * Declares a DynamoDB client. The SDK is loaded when the client is first injected; sockets open with the first request.
 *
 * Takes the SDK's own options, or `{ inject, useFactory }` that returns them. Without any, the SDK looks for region and
 * credentials where it always does: environment, shared files, the container's or instance's role.
 *
 * At shutdown the requests in flight are answered first. Later ones are rejected with `CLIENTS_CLOSED`; the SDK would open a
 * new socket for them. A request handler or agent that you pass is never destroyed.
 *
 * The health check is a `ListTables` of one table, without retries. If the endpoint refuses it, because of a policy or
 * because of throttling, the client is up: the endpoint has answered and has accepted the credentials.
 *
 * Options of the wrong type make `forRoot` throw `CLIENTS_INVALID_OPTIONS`. Injecting the client without the package
 * `@aws-sdk/client-dynamodb` fails with `CLIENTS_MISSING_PACKAGE`.
 *
 * @example
 * ClientsModule.forRoot({ clients: { dynamodb: dynamoDBClient({ region: 'eu-west-1' }) } });
 */
export function dynamoDBClient<
  I extends readonly Dependency[] = readonly Dependency[],
  R extends OptionsOrPromise<DynamoDBClientConfig> = OptionsOrPromise<DynamoDBClientConfig>,
>(
  options?: DynamoDBClientConfig | ClientOptionsFactory<DynamoDBClientConfig, I, R>,
  lifecycle?: KindLifecycle<DynamoDBClient>,
): ClientDefinition<DynamoDBClient, DynamoDBClientConfig> {
  return declareAwsClient<DynamoDBClient, DynamoDBClientConfig>(
    {
      kind: 'dynamodb',
      service: 'DynamoDB',
      async load(name) {
        const sdk = await loadPackage(
          '@aws-sdk/client-dynamodb',
          `Client "${name}"`,
          () => import('@aws-sdk/client-dynamodb'),
        );
        return sdk.DynamoDBClient;
      },
      check: checkReachable,
    },
    options,
    lifecycle,
  );
}
