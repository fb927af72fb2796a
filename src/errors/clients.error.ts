/** The code of a `ClientsError`. Codes are stable: match on them rather than on messages. */
export type ClientsErrorCode =
  | 'CLIENTS_INVALID_OPTIONS'
  | 'CLIENTS_DUPLICATE'
  | 'CLIENTS_UNKNOWN'
  | 'CLIENTS_MISSING_PACKAGE'
  | 'CLIENTS_CREATE_FAILED'
  | 'CLIENTS_CREATE_TIMEOUT'
  | 'CLIENTS_CLOSED'
  | 'CLIENTS_CLOSE_FAILED';

/**
 * What every error of this library extends. The message names the client, says what failed and how to mend it; `cause`
 * is what was thrown underneath. None holds a credential.
 */
export abstract class ClientsError extends Error {
  abstract readonly code: ClientsErrorCode;
  /** The name of the client that it is about, if it is about one. */
  declare readonly client?: string;

  override get name(): string {
    return this.constructor.name;
  }
}
