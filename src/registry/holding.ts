import type { Cancellation } from './cancellation.js';
import type { ClientEventDetails } from '../events/client-event.js';

/** Whoever keeps a client open: an application, a client that is built on it, work or a lease. It is told by identity. */
export type Holder = object;

/** A client that did not close gracefully, by identity, and why. */
export type CloseFailure = readonly [client: object, error: Error];

/** The closing of an application, or of a keyed client: on whose behalf clients end. */
export interface Closing {
  /** The milliseconds left for closing everything. */
  readonly remaining: () => number;
  /** Hears of clients that nobody else listens to, but that end because of this closing. */
  readonly observe?: (name: string, details: ClientEventDetails) => void;
  /** Cancelled when the time for closing everything has ended that was not limited when closing began. */
  readonly cutShort?: Cancellation;
}

/** Of a client that ends because a build failed: its own closeTimeout is the limit. */
export const UNHURRIED: Closing = { remaining: () => Infinity };
