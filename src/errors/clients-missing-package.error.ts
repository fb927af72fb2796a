import { ClientsError } from './clients.error.js';

/** An optional package that a client needs is not installed. The message gives the install command. */
export class ClientsMissingPackageError extends ClientsError {
  /** @internal */
  static override readonly code = 'CLIENTS_MISSING_PACKAGE';
  readonly code = 'CLIENTS_MISSING_PACKAGE';

  constructor(
    readonly packageName: string,
    neededBy: string,
    { install = `npm install ${packageName}`, ...options }: ErrorOptions & { install?: string | undefined } = {},
  ) {
    super(`${neededBy} needs the package "${packageName}", which is not installed. Run: ${install}`, options);
  }
}
