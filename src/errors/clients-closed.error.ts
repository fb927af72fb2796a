import { ClientsError } from './clients.error.js';

/** A client was to be built after shutdown had begun, was asked for while clients close, or work came too late. */
export class ClientsClosedError extends ClientsError {
  readonly code = 'CLIENTS_CLOSED';
  declare readonly client?: string;

  /** @param client the client that was asked for; without one, the error is about work that came too late */
  constructor(client?: string) {
    super(
      client === undefined
        ? 'Work cannot begin: the application is shutting down and its clients close. Stop the consumer or the job ' +
            'earlier, in onModuleDestroy or beforeApplicationShutdown.'
        : `Client "${client}" cannot be used: its application is shutting down, and builds no client any more. ` +
            'Inject what shutdown needs, or get it before shutdown begins.',
    );
    if (client !== undefined) this.client = client;
  }
}
