import { ClientsError } from './clients.error.js';

/**
 * Options that cannot work. `forRoot` throws it before any application exists. If a factory returns such options, building
 * the client fails with it. The message never contains a value.
 */
export class ClientsInvalidOptionsError extends ClientsError {
  /** @internal */
  static override readonly code = 'CLIENTS_INVALID_OPTIONS';
  readonly code = 'CLIENTS_INVALID_OPTIONS';

  constructor(where: string, problem: string, options?: ErrorOptions) {
    super(`${where}: ${problem}.`, options);
  }
}
