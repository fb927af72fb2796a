import type { ClientDefinition } from '../definition/client-definition.js';
import type { ClientOccurrence } from '../events/client-event.js';
import { SharedClient } from './shared-client.js';

type Observer = (occurrence: ClientOccurrence) => void;

/** One application's part in a client. Only one that has started holds it open: one that fails to boot never closes. */
interface Part {
  readonly observe: Observer;
  holds: boolean;
}

interface ProcessClient {
  readonly client: SharedClient;
  readonly parts: Map<object, Part>;
}

/** The clients of `scope: 'process'`. A definition is one client for every application that uses it. */
const clients = new WeakMap<ClientDefinition, ProcessClient>();

const BUILDING: readonly ClientOccurrence['type'][] = ['creating', 'created', 'createFailed'];

/** The client of that definition that is alive in this process, or a new one. `observe` hears of its life. */
export function shareInProcess(
  name: string,
  definition: ClientDefinition,
  application: object,
  observe: Observer,
): SharedClient {
  let shared = clients.get(definition);
  if (!shared) {
    const parts = new Map<object, Part>();
    shared = { client: new SharedClient(name, definition, (occurrence) => tell(parts, occurrence)), parts };
    clients.set(definition, shared);
  }
  if (!shared.parts.has(application)) shared.parts.set(application, { observe, holds: false });
  return shared.client;
}

/** Keeps the client open until the application releases it. */
export function holdInProcess(client: SharedClient, application: object): void {
  const shared = clients.get(client.definition);
  // Closed meanwhile? What took its place is not this application's.
  const part = shared?.client === client ? shared.parts.get(application) : undefined;
  if (part) part.holds = true;
}

/** Lets go of the client. Returns whether nobody holds it any more, so that it is to be closed now. */
export function releaseInProcess(client: SharedClient, application: object): boolean {
  const shared = clients.get(client.definition);
  if (shared?.client !== client) return false;
  const { parts } = shared;
  const part = parts.get(application);
  parts.delete(application);
  // Modules that are compiled and never initialised hold nothing, and close all the same: the last of them closes it.
  if (isHeld(parts) || (!part?.holds && parts.size > 0)) return false;
  // Forgotten before it is closed: an application that starts meanwhile gets a new one.
  clients.delete(client.definition);
  parts.clear();
  if (part) parts.set(application, part); // hears how closing goes
  return true;
}

/** Tells everyone of a build, which anyone may be waiting for; of the rest those who hold the client, if anyone does. */
function tell(parts: ReadonlyMap<object, Part>, occurrence: ClientOccurrence): void {
  const all = BUILDING.includes(occurrence.type) || !isHeld(parts);
  for (const { observe, holds } of parts.values()) if (all || holds) observe(occurrence);
}

function isHeld(parts: ReadonlyMap<object, Part>): boolean {
  return [...parts.values()].some(({ holds }) => holds);
}
