import { ClientsError } from './clients.error.js';

/** Building a client failed. `cause` is the underlying error. The next injection tries again. */
export class ClientsCreateFailedError extends ClientsError {
  /** @internal */
  static override readonly code = 'CLIENTS_CREATE_FAILED';
  readonly code = 'CLIENTS_CREATE_FAILED';

  constructor(
    override readonly client: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`Client "${client}" could not be created: ${problem}`, options);
  }
}
