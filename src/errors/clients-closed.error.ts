import { ClientsError } from './clients.error.js';

const REASONS = {
  build:
    'cannot be used: its application is shutting down, and builds no client any more. ' +
    'Inject what shutdown needs, or get it before shutdown begins.',
  request:
    'has closed and takes no request any more, because its application is shutting down. Stop jobs and pollers in ' +
    'onModuleDestroy or beforeApplicationShutdown, and wait there for what they still do: clients close after that.',
};
const NO_WORK =
  'Work cannot begin: the application is shutting down and its clients close. Stop the consumer or the job ' +
  'earlier, in onModuleDestroy or beforeApplicationShutdown.';

/**
 * Shutdown has begun. A client was used for the first time, or was used while clients close, or was sent a request after it
 * had closed; or `ClientRegistry.use` was called after clients had begun to close.
 */
export class ClientsClosedError extends ClientsError {
  /** @internal */
  static override readonly code = 'CLIENTS_CLOSED';
  readonly code = 'CLIENTS_CLOSED';
  declare readonly client?: string;

  /**
   * @param client the client that was asked for; without one, the error is about work that came too late
   * @param refused what was asked of the client: to build or hand it out, which is the default, or to send a request
   */
  constructor(client?: string, refused: keyof typeof REASONS = 'build') {
    super(client === undefined ? NO_WORK : `Client "${client}" ${REASONS[refused]}`);
    if (client !== undefined) this.client = client;
  }
}
