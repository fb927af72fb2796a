import { ClientsError } from './clients.error.js';

/** A client was to be built after shutdown had begun, or was asked for while clients close. */
export class ClientsClosedError extends ClientsError {
  /** @internal */
  static override readonly code = 'CLIENTS_CLOSED';
  readonly code = 'CLIENTS_CLOSED';

  constructor(override readonly client: string) {
    super(
      `Client "${client}" cannot be used: its application is shutting down, and builds no client any more. ` +
        'Inject what shutdown needs, or get it before shutdown begins.',
    );
  }
}
