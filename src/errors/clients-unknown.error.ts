import { ClientsError } from './clients.error.js';

/** No client of that name is declared. The message lists the names that are, and says which client is built on it. */
export class ClientsUnknownError extends ClientsError {
  readonly code = 'CLIENTS_UNKNOWN';

  constructor(
    override readonly client: string,
    known: readonly string[],
    dependent?: string,
  ) {
    const names = known.length > 0 ? known.map((name) => `"${name}"`).join(', ') : 'none';
    const why = dependent === undefined ? '' : `, on which "${dependent}" is built`;
    super(`No client is named "${String(client)}"${why}. Declared in ClientsModule.forRoot({ clients }): ${names}.`);
  }
}
