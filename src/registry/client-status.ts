/** Where a client is in its life. */
export type ClientState = 'idle' | 'creating' | 'open' | 'closing' | 'closed';

/** What `ClientRegistry.status()` reports of one client. */
export interface ClientStatus {
  name: string;
  /** `'redis'`, `'redis-cluster'`, `'dynamodb'`, `'dynamodb-document'`, `'custom'`, or what its driver says. */
  kind: string;
  state: ClientState;
  /** The names of the classes that it was injected into, in the order of injection. */
  consumers: string[];
  createdAt?: Date;
  /** Milliseconds that building took, what the client injects included. */
  createDuration?: number;
  /** Only for kinds that report their connection, and only from the first attempt to connect on. */
  connection?: 'connecting' | 'connected' | 'disconnected';
  /** When the connection was last gained: an older `lastError` is over. */
  connectedAt?: Date;
  /** The newest error: a failed build, a background error, a failed close. Without credentials. */
  lastError?: { name: string; message: string; at: Date };
  /** Only for keyed clients: those that exist, each with the number of its users. */
  members?: (ClientStatus & { key: string; users: number })[];
}

/** What `ClientRegistry.check()` found. */
export interface ClientHealth {
  name: string;
  kind: string;
  /**
   * `'up'`: its check passed, or it has none and is open. `'down'`: its check failed or passed the deadline, or it is
   * closed. `'idle'`: it is not built, so that there is nothing to check: nothing has used it yet, or its
   * last build failed.
   */
  status: 'up' | 'down' | 'idle';
  /** Milliseconds that the check took. */
  duration?: number;
  /** Why it is down; of an idle one, why its last build failed, if it did. Without credentials. */
  error?: { name: string; message: string };
}
