import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A request that has arrived, and the answer to it that has not gone out yet. */
export interface OwedAnswer {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether this module has it say "Connection: close". */
  isAnnouncingClose: boolean;
}

/** One connection of a client to an HTTP server: what it is owed, and whether it may be closed. */
export class HttpConnection {
  readonly openedAt = performance.now();
  /** The answers that it is owed, in the order in which the requests came. */
  readonly owed: OwedAnswer[] = [];
  /** The request that made it something other than HTTP, such as a WebSocket. */
  upgradedBy: IncomingMessage | undefined;
  /** Whether a whole request has come yet. */
  #hasServed = false;
  /** How many bytes had come when its last request was over: what came since is the beginning of another. */
  #bytesAtRest = 0;

  /** @param isSecured false until the TLS handshake is over, which brings the socket that HTTP goes over */
  constructor(
    public socket: Socket,
    public isSecured: boolean,
  ) {}

  /** A request has come. `settled` is called when it is over: answered, or given up by the client. */
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
      // What is left of an upload that was answered early is still to come.
      if (request.complete || request.destroyed) rest();
      else request.once('close', rest);
    });
  }

  /** Whether it has sent nothing since it was opened. */
  get isSilent(): boolean {
    if (this.#hasServed || this.upgradedBy) return false;
    return !this.isSecured || this.socket.bytesRead === 0;
  }

  /** Whether it is kept alive, and neither owed an answer nor sending a request. */
  get isIdle(): boolean {
    const isUsed = this.owed.length > 0 || this.upgradedBy !== undefined;
    return this.#hasServed && !isUsed && this.socket.bytesRead === this.#bytesAtRest;
  }

  /** Whether the handler has ended an answer of which the client has not been sent everything yet. */
  get isFlushing(): boolean {
    return this.owed.some(({ response }) => response.writableEnded && !response.destroyed);
  }

  /**
   * Has the last of the answers that are owed say "Connection: close". Not an earlier one: Node closes a connection after
   * the answer that says so, and the requests behind it would get none.
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
