import { ClientsError } from './clients.error.js';
import { describeCopies } from './copies.js';

/** No client of that name is declared. The message lists the names that are, and says which client is built on it. */
export class ClientsUnknownError extends ClientsError {
  /** @internal */
  static override readonly code = 'CLIENTS_UNKNOWN';
  readonly code = 'CLIENTS_UNKNOWN';

  override readonly client: string;

  constructor(
    client: unknown, // may be anything where nobody checks types
    known: readonly string[],
    dependent?: string,
  ) {
    const names = known.length > 0 ? known.map((name) => `"${name}"`).join(', ') : 'none';
    const why = dependent === undefined ? '' : `, on which "${dependent}" is built`;
    const name = String(client);
    super(
      `No client is named "${name}"${why}. Declared in ClientsModule.forRoot({ clients }): ${names}.${describeCopies()}`,
    );
    this.client = name;
  }
}
