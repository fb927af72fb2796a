import { ClientsClosedError } from '../errors/clients-closed.error.js';

/**
 * What the requests of a closed client are rejected with: a `ClientsClosedError`, at which the SDK's waiters stop too.
 *
 * A waiter takes any error for "not yet" and asks again until its `maxWaitTime`, which holds the process. What it does not
 * catch is an error while it notes the answer for its report, and the first thing that it looks at is `$response`.
 */
export class RequestRefusedError extends ClientsClosedError {
  constructor(client: string) {
    super(client, 'request');
  }

  override get name(): string {
    return ClientsClosedError.name;
  }

  get $response(): never {
    throw this;
  }
}
