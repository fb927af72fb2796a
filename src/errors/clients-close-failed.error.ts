import { ClientsError } from './clients.error.js';

/** Some clients did not close gracefully. All were attempted, and these were destroyed by force if they could be. */
export class ClientsCloseFailedError extends ClientsError {
  /** @internal */
  static override readonly code = 'CLIENTS_CLOSE_FAILED';
  readonly code = 'CLIENTS_CLOSE_FAILED';
  /** The names of the clients that failed. */
  readonly clients: readonly string[];
  /** One error a client, in the order of `clients`. */
  readonly errors: readonly Error[];

  constructor(failures: ReadonlyMap<string, Error>) {
    const reasons = [...failures].map(([client, error]) => `"${client}" (${error.message})`);
    super(`Not every client closed gracefully: ${reasons.join(', ')}.`);
    this.clients = [...failures.keys()];
    this.errors = [...failures.values()];
  }
}
