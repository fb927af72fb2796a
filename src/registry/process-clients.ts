import type { ClientDefinition } from '../definition/client-definition.js';
import type { ClientOccurrence } from '../events/client-event.js';
import { SharedClient } from './shared-client.js';

type Observer = (occurrence: ClientOccurrence) => void;

interface ProcessClient {
  readonly client: SharedClient;
  /** The applications that use the client while they boot. Some never come to their end. */
  readonly guests: Map<object, Observer>;
  /** The applications that have started with the client and not closed yet. */
  readonly holders: Map<object, Observer>;
}

/** The clients of `scope: 'process'`. A definition is one client for every application that uses it. */
const clients = new WeakMap<ClientDefinition<unknown, unknown>, ProcessClient>();

const BUILDING: readonly ClientOccurrence['type'][] = ['creating', 'created', 'createFailed'];

/** The client of that definition that is alive in this process, or a new one. `observe` hears of its life. */
export function shareInProcess(
  name: string,
  definition: ClientDefinition<unknown, unknown>,
  application: object,
  observe: Observer,
): SharedClient {
  let shared = clients.get(definition);
  if (!shared) {
    const guests = new Map<object, Observer>();
    const holders = new Map<object, Observer>();
    const client = new SharedClient(name, definition, (occurrence) => {
      if (holders.size === 0 || BUILDING.includes(occurrence.type))
        for (const guest of guests.values()) guest(occurrence);
      for (const holder of holders.values()) holder(occurrence);
    });
    shared = { client, guests, holders };
    clients.set(definition, shared);
  }
  if (!shared.holders.has(application)) shared.guests.set(application, observe);
  return shared.client;
}

/**
 * Keeps the client open until the application releases it. Only one that has started holds: one that fails to boot is
 * never closed, and would hold for ever.
 */
export function holdInProcess({ definition }: SharedClient, application: object): void {
  const shared = clients.get(definition);
  if (!shared || shared.holders.has(application)) return;
  shared.holders.set(application, shared.guests.get(application) ?? (() => {}));
  shared.guests.delete(application);
}

/** Lets go of the client. Returns whether nobody holds it any more, so that it is to be closed now. */
export function releaseInProcess(client: SharedClient, application: object): boolean {
  const shared = clients.get(client.definition);
  if (shared?.client !== client) return false;
  const { guests, holders } = shared;
  const observe = holders.get(application) ?? guests.get(application);
  holders.delete(application);
  guests.delete(application);
  if (holders.size > 0) return false;
  // Forgotten before it is closed: an application that starts meanwhile gets a new one.
  clients.delete(client.definition);
  guests.clear();
  if (observe) holders.set(application, observe); // hears how closing goes
  return true;
}
