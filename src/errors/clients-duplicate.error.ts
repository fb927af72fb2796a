import { ClientsError } from './clients.error.js';

/** Two `forRoot` calls of one application declare a client of the same name. */
export class ClientsDuplicateError extends ClientsError {
  /** @internal */
  static override readonly code = 'CLIENTS_DUPLICATE';
  readonly code = 'CLIENTS_DUPLICATE';

  constructor(override readonly client: string) {
    super(
      `Client "${client}" is declared twice. Names are unique in an application, across all ClientsModule.forRoot() ` +
        'calls: rename one, or declare it once and inject it wherever it is needed.',
    );
  }
}
