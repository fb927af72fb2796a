import { ClientsError } from './clients.error.js';

const REASONS = {
  build:
    'cannot be used: its application is shutting down, and builds no client any more. ' +
    'Inject what shutdown needs, or get it before shutdown begins.',
  request:
    'has closed and takes no request any more, because its application is shutting down. Stop jobs and pollers in ' +
    'onModuleDestroy or beforeApplicationShutdown, and wait there for what they still do: clients close after that.',
};

/** A client was to be built or asked for after shutdown had begun, or was sent a request after it had closed. */
export class ClientsClosedError extends ClientsError {
  readonly code = 'CLIENTS_CLOSED';

  /** @param refused what was refused: to build or give the client, which is the default, or a request to it */
  constructor(
    override readonly client: string,
    refused: keyof typeof REASONS = 'build',
  ) {
    super(`Client "${client}" ${REASONS[refused]}`);
  }
}
