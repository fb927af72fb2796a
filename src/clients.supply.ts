import type { ModuleRef } from '@nestjs/core';
import type { ClientsModuleAsyncOptions, ClientsOptionsFactory } from './clients.module-options.js';
import { ClientsInvalidOptionsError } from './errors/clients-invalid-options.error.js';
import type { ClientSource } from './registry/client-registry.js';

/** Makes, for one `forRoot` call in one application, the function that supplies client options by name. */
export type CreateSupply = (resolve: ClientSource['resolve'], moduleRef: ModuleRef) => ClientSource['supply'];

/** For `forRoot`: each client has its options itself. */
export const supplyNothing: CreateSupply = () => {
  const nothing = Promise.resolve(new Map<string, unknown>());
  return () => nothing;
};

/** For `forRootAsync`: runs the factory once, when it is first needed; one that fails runs again the next time. */
export function createSupply({
  clients,
  inject = [],
  useFactory,
  useClass,
  useExisting,
}: ClientsModuleAsyncOptions): CreateSupply {
  return (resolve, moduleRef) => {
    const run = async (): Promise<unknown> => {
      if (useFactory) return useFactory(...((await resolve(inject)) as never[]));
      if (useClass) return (await moduleRef.create(useClass)).createClientsOptions();
      const [factory] = (await resolve([useExisting as NonNullable<typeof useExisting>])) as [ClientsOptionsFactory];
      return factory.createClientsOptions();
    };
    let supplied: Promise<ReadonlyMap<string, unknown>> | undefined;
    return () => {
      supplied ??= run().then((options) => toMap(options, clients));
      supplied.catch(() => (supplied = undefined));
      return supplied;
    };
  };
}

function toMap(options: unknown, clients: ClientsModuleAsyncOptions['clients']): ReadonlyMap<string, unknown> {
  const where = 'The options factory of ClientsModule.forRootAsync()';
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ClientsInvalidOptionsError(where, 'it must return an object of client options by client name');
  }
  const known = Object.keys(clients).filter((name) => clients[name]?.blueprint.configurable);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const problem = `it returned options for "${name}", which is not a client that takes any; these do: ${known.join(', ')}`;
    throw new ClientsInvalidOptionsError(where, problem);
  }
  return new Map(Object.entries(options));
}
