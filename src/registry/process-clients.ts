import type { ClientDefinition } from '../definition/client-definition.js';
import type { ClientOccurrence } from '../events/client-event.js';
import { SharedClient } from './shared-client.js';

type Observer = (occurrence: ClientOccurrence) => void;

interface ProcessClient {
  readonly client: SharedClient;
  /** The applications that have started with this client and not closed yet. */
  readonly holders: Set<object>;
  readonly observers: Set<Observer>;
}

/** The clients of `scope: 'process'`. A definition is one client for every application that uses it. */
const clients = new WeakMap<ClientDefinition<unknown, unknown>, ProcessClient>();

/** The client of that definition that is alive in this process, or a new one. `observe` hears of its life. */
export function shareInProcess(
  name: string,
  definition: ClientDefinition<unknown, unknown>,
  observe: Observer,
): SharedClient {
  let shared = clients.get(definition);
  if (!shared) {
    const observers = new Set<Observer>();
    const client = new SharedClient(name, definition, (occurrence) => {
      for (const observer of observers) observer(occurrence);
    });
    shared = { client, holders: new Set(), observers };
    clients.set(definition, shared);
  }
  shared.observers.add(observe);
  return shared.client;
}

/**
 * Keeps the client open until `holder` releases it. Only an application that has started holds: one that fails to boot
 * is never closed, and would hold for ever.
 */
export function holdInProcess({ definition }: SharedClient, holder: object): void {
  clients.get(definition)?.holders.add(holder);
}

/** Lets go of the client. Returns whether nobody holds it any more, so that it is to be closed now. */
export function releaseInProcess(client: SharedClient, holder: object): boolean {
  const shared = clients.get(client.definition);
  if (shared?.client !== client) return false;
  shared.holders.delete(holder);
  if (shared.holders.size > 0) return false;
  // Forgotten before it is closed: an application that starts meanwhile gets a new one.
  clients.delete(client.definition);
  return true;
}
