import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A request that has arrived and is not fully answered yet. */
export interface OwedAnswer {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether this module has set "Connection: close" on the answer. */
  isAnnouncingClose: boolean;
}

/** A client's connection to an HTTP server: which answers it still waits for, and whether it may be closed. */
export class HttpConnection {
  readonly openedAt = performance.now();
  /** The requests that are not fully answered yet, in the order in which they came. */
  readonly owed: OwedAnswer[] = [];
  /** The request that switched the connection to another protocol, such as WebSocket. */
  upgradedBy: IncomingMessage | undefined;
  /** Whether a whole request has ever arrived. */
  #hasServed = false;
  /** Bytes received when the last request was over. If there are more now, the next request has begun to arrive. */
  #bytesAtRest = 0;

  /** @param isSecured false until the TLS handshake is over, after which `socket` is replaced by the encrypted one */
  constructor(
    public socket: Socket,
    public isSecured: boolean,
  ) {}

  /** Records a request. `settled` is called when it is answered, or when the client has given it up. */
  receive(request: IncomingMessage, response: ServerResponse, settled: () => void): void {
    const answer = { request, response, isAnnouncingClose: false };
    this.#hasServed = true;
    this.owed.push(answer);
    const rest = (): void => {
      this.owed.splice(this.owed.indexOf(answer), 1);
      if (this.owed.length === 0) this.#bytesAtRest = this.socket.bytesRead;
      settled();
    };
    response.once('close', () => {
      // The handler answered before the upload was complete: the rest of it is still to arrive.
      if (request.complete || request.destroyed) rest();
      else request.once('close', rest);
    });
  }

  /** Whether the client has sent nothing since the connection was opened. */
  get isSilent(): boolean {
    if (this.#hasServed || this.upgradedBy) return false;
    return !this.isSecured || this.socket.bytesRead === 0;
  }

  /** Whether the connection is kept alive between requests: none waits for an answer, and none has begun to arrive. */
  get isIdle(): boolean {
    const isUsed = this.owed.length > 0 || this.upgradedBy !== undefined;
    return this.#hasServed && !isUsed && this.socket.bytesRead === this.#bytesAtRest;
  }

  /** Whether a handler has ended an answer that has not been sent completely yet. */
  get isFlushing(): boolean {
    return this.owed.some(({ response }) => response.writableEnded && !response.destroyed);
  }

  /**
   * Sets "Connection: close" on the last of the pending answers. Not on an earlier one: Node closes the connection after
   * the answer that has it, and later requests would get none.
   */
  announceClose(): void {
    for (const answer of this.owed) {
      const { response } = answer;
      if (response.headersSent) continue;
      if (answer === this.owed.at(-1)) {
        answer.isAnnouncingClose ||= response.shouldKeepAlive;
        response.shouldKeepAlive = false;
      } else if (answer.isAnnouncingClose) {
        answer.isAnnouncingClose = false;
        response.shouldKeepAlive = true;
      }
    }
  }
}
