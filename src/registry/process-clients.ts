import type { ClientDefinition } from '../definition/client-definition.js';
import { ClientLogger } from '../events/client-logger.js';
import { SharedClient } from './shared-client.js';

/** The clients of `scope: 'process'`: one for all applications that declare the same definition. */
const clients = new WeakMap<ClientDefinition, SharedClient>();

/** Of a client that no application listens to, what happens is logged all the same. */
const logger = new ClientLogger();

/** The client of that definition that is alive in this process, or a new one. */
export function shareInProcess(name: string, definition: ClientDefinition): SharedClient {
  const known = clients.get(definition);
  if (known && !known.isRefused) return known;
  const client = new SharedClient(name, definition, (occurrence) =>
    logger.log({ client: name, at: new Date(), ...occurrence }),
  );
  clients.set(definition, client);
  return client;
}
