/** Where a client is in its life. */
export type ClientState = 'idle' | 'creating' | 'open' | 'closing' | 'closed';

/** What `ClientRegistry.status()` reports of one client. */
export interface ClientStatus {
  name: string;
  /** `'redis'`, `'node-redis'`, `'aws'`, `'dynamodb'`, `'keyed'`, `'custom'` and so on, or the `kind` of its driver. */
  kind: string;
  state: ClientState;
  /** The names of the classes that it was injected into, in the order of injection. */
  consumers: string[];
  createdAt?: Date;
  /** Milliseconds that building took, including what the client injects. */
  createDuration?: number;
  /** Only for kinds that report their connection, and only from the first attempt to connect until the client has closed. */
  connection?: 'connecting' | 'connected' | 'disconnected';
  /** When the connection was last gained. An older `lastError` is over. */
  connectedAt?: Date;
  /** The newest error: a failed build, a background error, a lost connection, a failed close. Without credentials. */
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
   * closed. `'idle'`: it is not built, so there is nothing to check. Nothing has used it yet, it is being built, or its last
   * build failed.
   */
  status: 'up' | 'down' | 'idle';
  /** Milliseconds that the check took. */
  duration?: number;
  /** Why the client is down; or, if it is idle, why its last build failed. Without credentials. */
  error?: { name: string; message: string };
}
