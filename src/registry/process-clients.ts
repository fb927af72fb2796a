import type { ClientDefinition } from '../definition/client-definition.js';
import type { ClientOccurrence } from '../events/client-event.js';
import { SharedClient } from './shared-client.js';

type Observer = (occurrence: ClientOccurrence) => void;

/**
 * What an application has to do with a client, or another client that is built on it. Only an application that has started
 * holds it open: one that fails to boot never closes.
 */
interface Part {
  readonly observe: Observer;
  holds(): boolean;
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
  if (!shared.parts.has(application)) shared.parts.set(application, { observe, holds: () => false });
  return shared.client;
}

/** Keeps the client open until the application releases it. */
export function holdInProcess(client: SharedClient, application: object): void {
  const shared = clients.get(client.definition);
  // Closed meanwhile? What took its place is not this application's.
  const part = shared?.client === client ? shared.parts.get(application) : undefined;
  if (part) shared?.parts.set(application, { observe: part.observe, holds: () => true });
}

/** Keeps open what the client is built on, for as long as somebody holds the client, whoever has built it. */
export function holdDependencies(client: SharedClient): void {
  if (client.definition.lifecycle.scope === 'app') return; // closes before, with its application
  const holds = () => {
    const shared = clients.get(client.definition);
    return shared?.client === client ? isHeld(shared.parts) : client.state !== 'closed';
  };
  for (const dependency of client.dependencies) {
    const base = clients.get(dependency.definition);
    const parts = base?.client === dependency ? [...base.parts.values()] : [];
    const part = parts.find((one) => one.holds()) ?? parts[0]; // hears of it when nobody else does any more
    if (part) base?.parts.set(client, { observe: part.observe, holds });
  }
}

/**
 * Lets go of the client, which an application or a client has had a part in. Returns whether nobody holds it any more, so
 * that it is to be closed now.
 */
export function releaseInProcess(client: SharedClient, holder: object): boolean {
  const shared = clients.get(client.definition);
  const part = shared?.client === client ? shared.parts.get(holder) : undefined;
  if (!shared || !part) return false;
  const { parts } = shared;
  parts.delete(holder);
  // Modules that are compiled and never initialised hold nothing, and close all the same: the last of them closes it.
  const held = part.holds() || holder instanceof SharedClient;
  if (isHeld(parts) || (!held && parts.size > 0)) return false;
  // Forgotten before it is closed: an application that starts meanwhile gets a new one.
  clients.delete(client.definition);
  parts.clear();
  parts.set(holder, part); // hears how closing goes
  return true;
}

/** Closes a client, and then what it alone has kept open of what others have built. */
export async function closeWithDependencies(client: SharedClient, remaining: () => number): Promise<Error | undefined> {
  client.refuse();
  const outcomes = [await client.close(remaining)];
  for (const dependency of client.dependencies) {
    if (releaseInProcess(dependency, client)) outcomes.push(await closeWithDependencies(dependency, remaining));
  }
  return outcomes.find((failure) => failure !== undefined);
}

/** Tells everyone of a build, which anyone may be waiting for; of the rest those who hold the client, if anyone does. */
function tell(parts: ReadonlyMap<object, Part>, occurrence: ClientOccurrence): void {
  const all = BUILDING.includes(occurrence.type) || !isHeld(parts);
  const told = [...parts.values()].filter((part) => all || part.holds());
  for (const observe of new Set(told.map((part) => part.observe))) observe(occurrence);
}

function isHeld(parts: ReadonlyMap<object, Part>): boolean {
  return [...parts.values()].some((part) => part.holds());
}
