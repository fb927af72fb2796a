import type { ClientDefinition } from '../definition/client-definition.js';
import { ClientLogger } from '../events/client-logger.js';
import { SharedClient } from './shared-client.js';

/** The clients of `scope: 'process'`: one for all applications that declare the same definition. */
const clients = new WeakMap<ClientDefinition, SharedClient>();

/** What happens to a client that no application listens to is logged all the same. */
const logger = new ClientLogger();

/** The client of that definition that is alive in this process, or a new one. */
export function shareInProcess(name: string, definition: ClientDefinition): SharedClient {
  const known = clients.get(definition);
  if (known && !known.cancellation.isCancelled) return known;
  const client = new SharedClient(name, definition, (details) =>
    logger.log({ client: name, at: new Date(), ...details }),
  );
  clients.set(definition, client);
  return client;
}
