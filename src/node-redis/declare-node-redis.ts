import type * as NodeRedis from 'redis';
import type { ClientDefinition } from '../definition/client-definition.js';
import {
  configurableClient,
  type ClientOptionsFactory,
  type ConfigurableDriver,
  type KindLifecycle,
} from '../definition/configurable-client.js';
import { loadPackage } from '../definition/load-package.js';
import { connectionOf } from './connection.js';
import { Sockets } from './sockets.js';

/** What differs from one kind of node-redis client to another. */
export interface NodeRedisKind<T extends object, O extends object> extends Pick<
  ConfigurableDriver<T, O>,
  'kind' | 'findProblem'
> {
  /** Constructs the client, with sockets that end when it ends, and its `Connection`. */
  create(redis: typeof NodeRedis, options: O, name: string, sockets: Sockets): T;
}

/** Declares a client of node-redis: how it is built, connected, watched, checked and closed. */
export function declareNodeRedis<T extends object, O extends object>(
  kind: NodeRedisKind<T, O>,
  options: O | ClientOptionsFactory<O> | undefined,
  lifecycle: KindLifecycle<T> | undefined,
): ClientDefinition<T, O> {
  return configurableClient<T, O>(
    {
      ...kind,
      async create(given, name) {
        const redis = await loadPackage('redis', `Client "${name}"`, () => import('redis'));
        return kind.create(redis, given, name, new Sockets());
      },
      connect: (client) => connectionOf(client).keepOpening(),
      check: (client) => connectionOf(client).check(),
      close: (client) => connectionOf(client).close(),
      destroy: (client) => connectionOf(client).destroy(),
      onError: (client, report) => void (connectionOf(client).onError = report),
      onConnection: (client, report) => void (connectionOf(client).onConnection = report),
    },
    options,
    lifecycle,
  );
}
