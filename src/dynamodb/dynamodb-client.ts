import type { DynamoDBClient, DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import type { ClientDefinition } from '../definition/client-definition.js';
import type { ClientLifecycle } from '../definition/client-lifecycle.js';
import { configurableClient, type ClientOptionsFactory } from '../definition/configurable-client.js';
import type { Dependency } from '../definition/dependency.js';
import type { OptionsOrPromise } from '../definition/known-options.js';
import { loadPackage } from '../definition/load-package.js';
import { checkReachable } from './check-reachable.js';
import { findConfigProblem } from './find-config-problem.js';
import { RequestsInFlight } from './requests-in-flight.js';

/**
 * Declares a DynamoDB client. The SDK is loaded when the client is first injected; sockets open with the first request.
 *
 * Takes the SDK's own options, or `{ inject, useFactory }` that returns them. Without any, the SDK looks for region and
 * credentials where it always does: environment, shared files, the container's or instance's role.
 *
 * At shutdown the requests in flight are answered first. Later ones are rejected with `CLIENTS_CLOSED`, where the SDK
 * would open a new socket. A request handler or agent that you pass is yours: it is never destroyed.
 *
 * The health check is a `ListTables` of one table; "access denied" counts as healthy, since it proves that the endpoint
 * answers and the credentials are valid.
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
  lifecycle?: ClientLifecycle,
): ClientDefinition<DynamoDBClient, DynamoDBClientConfig> {
  /** Clients whose sockets may serve somebody else too: `destroy()` would reset those requests. */
  const borrowers = new WeakSet<DynamoDBClient>();

  async function destroy(client: DynamoDBClient): Promise<void> {
    const requests = RequestsInFlight.of(client);
    if (borrowers.has(client)) requests.refuse();
    else await requests.destroy(() => client.destroy());
  }

  return configurableClient<DynamoDBClient, DynamoDBClientConfig>(
    {
      kind: 'dynamodb',
      findProblem: findConfigProblem,
      async create(config, name) {
        const sdk = await loadPackage(
          '@aws-sdk/client-dynamodb',
          `Client "${name}"`,
          () => import('@aws-sdk/client-dynamodb'),
        );
        const client = new sdk.DynamoDBClient(config);
        RequestsInFlight.of(client, name);
        if (isBorrowed(config.requestHandler)) borrowers.add(client);
        return client;
      },
      check: checkReachable,
      async close(client) {
        await RequestsInFlight.of(client).close();
        await destroy(client);
      },
      destroy,
    },
    options,
    lifecycle,
  );
}

/** An instance, or options with an agent instance, which the SDK's handler would destroy along with itself. */
function isBorrowed(handler: DynamoDBClientConfig['requestHandler']): boolean {
  if (!handler) return false;
  if ('handle' in handler) return true;
  const { httpAgent, httpsAgent } = handler as { httpAgent?: object; httpsAgent?: object };
  return [httpAgent, httpsAgent].some((agent) => agent !== undefined && 'destroy' in agent);
}
