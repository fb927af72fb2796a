import { ClientsError } from './clients.error.js';

/** `max` keyed clients are all in use, so that there is no room for another key. */
export class ClientsExhaustedError extends ClientsError {
  /** @internal */
  static override readonly code = 'CLIENTS_EXHAUSTED';
  readonly code = 'CLIENTS_EXHAUSTED';

  constructor(
    override readonly client: string,
    max: number,
  ) {
    super(
      `Client "${client}" has no room for another key: all ${max} are in use. Let go of clients sooner, or give ` +
        'keyedClients() a larger "max".',
    );
  }
}
