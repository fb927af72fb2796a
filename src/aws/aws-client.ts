import type { ClientDefinition } from '../definition/client-definition.js';
import type { ClientOptionsFactory, KindLifecycle } from '../definition/configurable-client.js';
import type { Dependency } from '../definition/dependency.js';
import type { OptionsOrPromise } from '../definition/known-options.js';
import type { AwsClientClass, AwsClientConfig } from './aws-sdk.js';
import { declareAwsClient } from './declare-aws-client.js';
import { loadClass } from './load-class.js';

/**
 * Declares a client of the AWS SDK for JavaScript v3: S3, SQS, SNS, Lambda or any other service. Aggregated clients work too.
 *
 * `load` returns the client's class. It is called when the client is first injected; sockets open with the first request. The
 * options are those of that class, or `{ inject, useFactory }` that returns them. Without any, the SDK looks for region and
 * credentials where it always does: environment, shared files, the container's or instance's role.
 *
 * At shutdown the requests in flight are answered first, and response bodies read to their end. Later requests are rejected
 * with `CLIENTS_CLOSED`; the SDK would open a new socket for them. Requests in flight after `closeTimeout` are rejected too, and
 * not sent again. A request handler or agent that you pass is never destroyed.
 *
 * There is no health check unless `lifecycle` has a `check`, because no call works in every service without cost and without
 * permissions. Without it, an open client counts as up. Requests of a check are not retried, and it is abandoned after 5,000 ms.
 *
 * Options of the wrong type make `forRoot` throw `CLIENTS_INVALID_OPTIONS`; so does injecting the client if `load` does not
 * return a client class. If the package that `load` imports is not installed, that fails with `CLIENTS_MISSING_PACKAGE`.
 *
 * @example
 * ClientsModule.forRoot({
 *   clients: {
 *     s3: awsClient(async () => (await import('@aws-sdk/client-s3')).S3Client, { region: 'eu-west-1' }),
 *   },
 * });
 */
export function awsClient<
  C extends AwsClientClass,
  I extends readonly Dependency[] = readonly Dependency[],
  R extends OptionsOrPromise<AwsClientConfig<C>> = OptionsOrPromise<AwsClientConfig<C>>,
>(
  load: () => Promise<C>,
  config?: (AwsClientConfig<C> & object) | ClientOptionsFactory<AwsClientConfig<C>, I, R>,
  lifecycle?: KindLifecycle<InstanceType<C>>,
): ClientDefinition<InstanceType<C>, AwsClientConfig<C>> {
  return declareAwsClient<InstanceType<C>, AwsClientConfig<C>>(
    {
      kind: 'aws',
      service: 'The service',
      findProblem: () =>
        typeof load === 'function' ? undefined : 'the first argument of awsClient() must be a function: () => Class',
      load: async (name) =>
        (await loadClass(load, name)) as unknown as new (config: AwsClientConfig<C>) => InstanceType<C>,
    },
    config,
    lifecycle,
  );
}
