import type { ModuleRef } from '@nestjs/core';
import type { ClientsModuleAsyncOptions, ClientsOptionsFactory } from './clients.module-options.js';
import type { ClientDefinitions } from '../definition/client-definition.js';
import { ClientsInvalidOptionsError } from '../errors/clients-invalid-options.error.js';
import type { ClientSource } from '../registry/registration.js';

/**
 * Returns a function that looks up a client's options in what the factory of `forRootAsync` returns. The factory runs
 * once, when options are first needed, and again after a failure. `forRoot` has no factory, and no options to look up.
 */
export function createOptionsLoader(
  clients: ClientDefinitions,
  source: ClientsModuleAsyncOptions,
  resolve: ClientSource['resolve'],
  moduleRef: ModuleRef,
): ClientSource['resolveOptions'] {
  const call = async (): Promise<unknown> => {
    const { inject = [], useClass, useExisting } = source;
    if (source.useFactory) return source.useFactory(...(await resolve(inject)));
    if (useClass) return (await moduleRef.create(useClass)).createClientsOptions();
    if (useExisting === undefined) return {};
    const [factory] = (await resolve([useExisting])) as [ClientsOptionsFactory];
    return factory.createClientsOptions();
  };
  let current: { readonly options: Promise<unknown>; readonly waiting: Set<string> } | undefined;
  return async (client) => {
    // A client that asks again while its last request is pending has passed its createTimeout. The factory may be slow or
    // hang for ever, so it is called again, and the first call that succeeds counts.
    const slow = current?.waiting.has(client) ? current.options : undefined;
    if (slow) current = { options: Promise.any([slow, call()]).catch(throwLast), waiting: new Set() };
    const run = (current ??= { options: call(), waiting: new Set() });
    run.waiting.add(client);
    try {
      return pick(client, await run.options, clients);
    } catch (error) {
      if (current === run) current = undefined;
      throw error;
    } finally {
      run.waiting.delete(client);
    }
  };
}

function throwLast({ errors }: AggregateError): never {
  throw errors.at(-1);
}

function pick(client: string, options: unknown, clients: ClientDefinitions): unknown {
  const where = `Client "${client}", options factory of ClientsModule.forRootAsync()`;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ClientsInvalidOptionsError(where, 'it must return an object of client options by client name');
  }
  const known = Object.keys(clients).filter((name) => clients[name]?.blueprint.configurable);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const problem = `it returned options for "${name}", which is not a client that takes any; these do: ${known.join(', ')}`;
    throw new ClientsInvalidOptionsError(where, problem);
  }
  return new Map<string, unknown>(Object.entries(options)).get(client);
}
