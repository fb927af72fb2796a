import { ClientsError } from './clients.error.js';

/** A client was asked for after shutdown had begun. */
export class ClientsClosedError extends ClientsError {
  readonly code = 'CLIENTS_CLOSED';

  constructor(override readonly client: string) {
    super(
      `Client "${client}" cannot be used: its application is shutting down and its clients are closed. ` +
        'Finish work that needs a client before onApplicationShutdown.',
    );
  }
}
