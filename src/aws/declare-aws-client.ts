import { ClientDefinition, type BuildContext } from '../definition/client-definition.js';
import {
  configurableClient,
  type ClientOptionsFactory,
  type ConfigurableDriver,
  type KindLifecycle,
} from '../definition/configurable-client.js';
import { isObject } from '../definition/rules.js';
import type { AwsClient } from './aws-sdk.js';
import { findConfigProblem } from './find-config-problem.js';
import { RequestsInFlight, type Ownership } from './requests-in-flight.js';

/** What differs from one kind of AWS client to another. */
export interface AwsKind<T extends AwsClient, O extends object> {
  readonly kind: string;
  /** What to call the service when it does not answer. */
  readonly service: string;
  /** Says what is wrong with the declaration, other than with its options. */
  findProblem?(): string | undefined;
  /** Loads the client's class. `name` is the client's, for errors. */
  load(name: string): Promise<new (config: O) => T>;
  /** One cheap round trip, to be given up when the signal is aborted. */
  check?(client: T, abortSignal: AbortSignal): unknown;
}

/** Declares a client of the AWS SDK: how it is built, checked and closed. */
export function declareAwsClient<T extends AwsClient, O extends object>(
  aws: AwsKind<T, O>,
  options: O | ClientOptionsFactory<O> | undefined,
  managed: KindLifecycle<T> | undefined,
): ClientDefinition<T, O> {
  const lifecycle = isObject(managed) ? { ...managed, ...checkOf(aws, managed) } : managed;
  const { blueprint, declaredLifecycle } = configurableClient(driverOf(aws), options, lifecycle);
  return new ClientDefinition<T, O>(
    {
      ...blueprint,
      findProblem: (given) => aws.findProblem?.() ?? blueprint.findProblem(given),
      create: (context) => configurableClient(driverOf(aws, context), options).blueprint.create(context),
    },
    declaredLifecycle,
  );
}

function driverOf<T extends AwsClient, O extends object>(
  aws: AwsKind<T, O>,
  context?: BuildContext,
): ConfigurableDriver<T, O> {
  return {
    kind: aws.kind,
    findProblem: findConfigProblem,
    async create(config, name) {
      const Class = await aws.load(name);
      const client = new Class(context ? showCredentials(config, context) : config);
      RequestsInFlight.of(client, name, ownershipOf(config));
      return client;
    },
    ...checkOf(aws, aws),
    close: (client) => RequestsInFlight.of(client).close(),
    destroy: (client) => RequestsInFlight.of(client).destroy(),
  };
}

/** A check whose requests are neither retried nor waited for. Anything but a function is left for validation to report. */
function checkOf<T extends AwsClient>(
  { service }: { readonly service: string },
  source: { check?(client: T, abortSignal: AbortSignal): unknown },
): { check?(client: T): unknown } {
  if (typeof source.check !== 'function') return {};
  return {
    check: (client) =>
      RequestsInFlight.of(client).check(client, service, (abortSignal) => source.check?.(client, abortSignal)),
  };
}

/** Has every set of credentials that a provider gives struck out of what is published. */
function showCredentials<O extends object>(config: O, { redactor }: BuildContext): O {
  const { credentials } = config as { credentials?: unknown };
  if (typeof credentials !== 'function') return config;
  const provide = async (...given: unknown[]): Promise<unknown> => {
    const provided: unknown = await Reflect.apply(credentials, undefined, given);
    const { accessKeyId, secretAccessKey, sessionToken } = (provided ?? {}) as Record<string, unknown>;
    redactor.keep({ credentials: { accessKeyId, secretAccessKey, sessionToken } });
    return provided;
  };
  return { ...config, credentials: Object.assign(provide, credentials) };
}

/** Who owns the sockets: `destroy()` of a handler or an agent resets the requests of all who use it. */
function ownershipOf({ requestHandler: handler }: { requestHandler?: unknown }): Ownership {
  if (!isObject(handler)) return 'own';
  if ('handle' in handler) return 'handler-of-caller';
  const agents = [handler['httpAgent'], handler['httpsAgent']];
  return agents.some((agent) => isObject(agent) && 'destroy' in agent) ? 'agent-of-caller' : 'own';
}
