import { ClientsError } from './clients.error.js';

/** Building a client took longer than its `createTimeout`. If the build ends later, the late client is closed at once. */
export class ClientsCreateTimeoutError extends ClientsError {
  /** @internal */
  static override readonly code = 'CLIENTS_CREATE_TIMEOUT';
  readonly code = 'CLIENTS_CREATE_TIMEOUT';

  constructor(
    override readonly client: string,
    timeout: number,
    pending: string,
    options?: ErrorOptions,
  ) {
    super(
      `Client "${client}" was not created within ${timeout} ms: ${pending}. ` +
        'Find out what it waits for, or give it a longer createTimeout.',
      options,
    );
  }
}
