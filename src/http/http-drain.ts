import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { Injectable, Logger } from '@nestjs/common';
import { describeConnections } from './describe-connections.js';
import { HttpConnection } from './http-connection.js';
import { DRAIN_TIMEOUT } from './http-drain.module-options.js';

/** Milliseconds in which a connection that has just been opened is expected to send the beginning of a request. */
const SILENCE = 500;
/** The real one, whatever clock a test has put in its place meanwhile: a shutdown under it must end. */
const { setImmediate } = globalThis;

/**
 * Follows the connections of an application's HTTP servers, and ends them when the application shuts down. It only listens
 * to the servers' events. `HttpDrainModule` provides it.
 */
@Injectable()
export class HttpDrain {
  readonly #logger = new Logger('HttpDrainModule');
  readonly #servers = new Set<HttpServer>();
  /** By the socket that requests come over. */
  readonly #connections = new Map<Socket, HttpConnection>();
  /** Connections whose TLS handshake is not over, by the addresses of both ends. */
  readonly #handshakes = new Map<string, HttpConnection>();
  readonly #sessions = new Set<Http2Session>();
  readonly #waiting = new Set<() => void>();
  #timeout: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #state: 'serving' | 'draining' | 'cut' = 'serving';

  /** @internal Of several timeouts, the longest counts. */
  allow(timeout: number): void {
    this.#timeout = Math.max(this.#timeout ?? 0, timeout);
  }

  /**
   * Drains and closes another HTTP server of the application, which Nest does not know of, together with Nest's own. Call it
   * before that server listens.
   *
   * @example
   * const server = createServer(app.getHttpAdapter().getInstance());
   * app.get(HttpDrain).watch(server);
   * server.listen(8080);
   */
  watch(server: HttpServer): void {
    if (this.#servers.has(server)) return;
    this.#servers.add(server);
    const isTls = server instanceof TlsServer;
    server.on('connection', (socket) => void (isTls ? this.#await(socket) : this.#open(socket)));
    if (isTls) server.on('secureConnection', (socket: Socket) => this.#secure(socket));
    // Before the handlers, some of which answer at once.
    server.prependListener('request', (request, response) => this.#receive(request, response));
    this.#watchUpgrades(server);
    server.on('session', (session: Http2Session) => this.#follow(session));
  }

  /** @internal Shutdown has begun. */
  begin(): void {
    if (this.#state !== 'serving') return;
    this.#state = 'draining';
    const timeout = this.#timeout ?? DRAIN_TIMEOUT;
    this.#timer = setTimeout(() => this.#cut(timeout), timeout).unref(); // open connections keep the process alive
    for (const connection of this.#connections.values()) {
      connection.announceClose();
      this.#settle(connection);
    }
    for (const session of this.#sessions) session.close();
  }

  /**
   * @internal Stops listening, and resolves when no connection is left. Nest closes its server only then, and without
   * that it would lose answers: Fastify answers 503 while it closes, adapters for WebSockets terminate them, and Node's
   * `Server.close()` destroys connections as idle although their request has arrived and has not been read yet, or their
   * answer has been ended by the handler and is still being sent.
   */
  async drain(): Promise<void> {
    await new Promise<void>(afterReading);
    await this.#until(() => [...this.#connections.values()].every(({ isFlushing }) => !isFlushing));
    for (const server of this.#servers) if (server.listening) server.close();
    await this.#until(() => this.#connections.size === 0);
    clearTimeout(this.#timer);
    await new Promise<void>(afterReading); // clients in this process, as tests have them, have seen the end by then
  }

  #open(socket: Socket, isSecured = true): HttpConnection {
    const connection = new HttpConnection(socket, isSecured);
    if (this.#state === 'cut') {
      socket.destroy();
      return connection;
    }
    this.#connections.set(socket, connection);
    socket.once('close', () => {
      this.#connections.delete(connection.socket);
      this.#look();
    });
    if (this.#state === 'draining') this.#settle(connection);
    return connection;
  }

  /** A TLS handshake has begun. */
  #await(socket: Socket): void {
    const address = addressOf(socket);
    if (address === undefined) return; // it could not be found again
    const connection = this.#open(socket, false);
    this.#handshakes.set(address, connection);
    socket.once('close', () => {
      if (this.#handshakes.get(address) === connection) this.#handshakes.delete(address);
    });
  }

  /** A TLS handshake is over. Node does not say that of which connection, but the addresses of both ends do. */
  #secure(socket: Socket): void {
    const address = addressOf(socket);
    const connection = address === undefined ? undefined : this.#handshakes.get(address);
    if (address === undefined || !connection) return void this.#open(socket);
    this.#handshakes.delete(address);
    this.#connections.delete(connection.socket);
    this.#connections.set(socket, connection);
    connection.socket = socket;
    connection.isSecured = true;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    if (request.httpVersionMajor > 1) return; // a session of HTTP/2 closes itself when its requests are answered
    const { socket } = request;
    const connection = this.#connections.get(socket) ?? this.#open(socket); // opened before the server was watched
    connection.receive(request, response, () => {
      if (this.#state === 'draining') this.#settle(connection);
      this.#look();
    });
    // When all requests that came in one piece have been read, and before a handler that is asynchronous answers.
    if (this.#state === 'draining') process.nextTick(() => connection.announceClose());
  }

  /** HTTP/2: a session that is told to close takes no more requests, and ends with the last answer. */
  #follow(session: Http2Session): void {
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    if (this.#state !== 'serving') session.close();
  }

  /**
   * With a listener to "upgrade", Node leaves every upgrade to it; without one it serves the request like any other. So
   * this listens when somebody else does, and only then.
   */
  #watchUpgrades(server: HttpServer): void {
    const note = (request: IncomingMessage): void => {
      const connection = this.#connections.get(request.socket);
      if (connection) connection.upgradedBy = request;
    };
    const isListening = (): boolean => server.listeners('upgrade').includes(note);
    if (server.listenerCount('upgrade') > 0) server.prependListener('upgrade', note);
    server.on('newListener', (event, listener) => {
      if (event === 'upgrade' && listener !== note && !isListening()) server.prependListener('upgrade', note);
    });
    server.on('removeListener', (event) => {
      if (event === 'upgrade' && isListening() && server.listenerCount('upgrade') === 1) server.off('upgrade', note);
    });
  }

  /** Closes a connection that is owed nothing, once what has arrived already has been read: it may be a request. */
  #settle(connection: HttpConnection): void {
    if (connection.isSilent) {
      const rest = Math.max(0, SILENCE - (performance.now() - connection.openedAt));
      setTimeout(() => afterReading(() => connection.isSilent && connection.socket.destroy()), rest).unref();
    } else if (connection.isIdle) {
      afterReading(() => connection.isIdle && connection.socket.destroySoon());
    }
  }

  #cut(timeout: number): void {
    this.#state = 'cut';
    const connections = [...this.#connections.values()];
    if (connections.length > 0) {
      const many = connections.length === 1 ? '1 connection that was' : `${connections.length} connections that were`;
      this.#logger.warn(
        `Cut off ${many} still open ${timeout} ms after shutdown began: ${describeConnections(connections)}`,
      );
    }
    for (const { socket } of connections) socket.destroy();
    this.#look();
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (this.#state !== 'cut' && !isSo()) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  /** Something has changed: whoever waits looks again. */
  #look(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Calls back when the event loop has read what had come in before: it may be in the middle of a round now. */
function afterReading(act: () => void): void {
  setImmediate(() => setImmediate(act));
}

/** `undefined` for a socket that has no address, such as one of a file system. */
function addressOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
