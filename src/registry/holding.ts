import type { Cancellation } from './cancellation.js';
import type { ClientEventDetails } from '../events/client-event.js';

/** Keeps a client open: an application, a client that is built on it, work or a lease. Holders are compared by identity. */
export type Holder = object;

/** A client that did not close gracefully, by identity, and why. */
export type CloseFailure = readonly [client: object, error: Error];

/** The closing of an application, or of a keyed client: on whose behalf clients end. */
export interface Closing {
  /** The milliseconds left for closing everything. */
  readonly remaining: () => number;
  /** Called with events of clients that end because of this closing and that nobody else observes. */
  readonly observe?: (name: string, details: ClientEventDetails) => void;
  /** Cancelled when the time for closing everything is up. For a closing that began without such a limit. */
  readonly cutShort?: Cancellation;
}

/** Of a client that ends because a build failed: its own closeTimeout is the limit. */
export const UNHURRIED: Closing = { remaining: () => Infinity };
