import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { Injectable, Logger } from '@nestjs/common';
import { describeConnections } from './describe-connections.js';
import { HttpConnection } from './http-connection.js';
import { DRAIN_TIMEOUT } from './http-drain.module-options.js';

/** Milliseconds in which a connection that has just been opened must begin to send a request, or it is closed. */
const SILENCE = 500;
/** Kept from before a test installs fake timers, with which a shutdown must end too. */
const { setImmediate } = globalThis;

/**
 * Keeps track of the connections of an application's HTTP servers, and ends them when the application shuts down. It only
 * listens to the servers' events. `HttpDrainModule` provides it.
 */
@Injectable()
export class HttpDrain {
  readonly #logger = new Logger('HttpDrainModule');
  readonly #servers = new Set<HttpServer>();
  /** By the socket over which requests arrive. */
  readonly #connections = new Map<Socket, HttpConnection>();
  /** Connections in a TLS handshake, by the addresses of both ends. */
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
    // Before other listeners, because handlers may answer synchronously.
    server.prependListener('request', (request, response) => this.#receive(request, response));
    this.#watchUpgrades(server);
    server.on('session', (session: Http2Session) => this.#follow(session));
  }

  /** @internal Begins to close connections. Called when shutdown begins. */
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
   * @internal Stops listening, and resolves when no connection is left. Nest closes its server only then. If it did so
   * earlier, answers would be lost: Fastify answers 503 while it closes, WebSocket adapters terminate connections, and
   * Node's `Server.close()` destroys connections that it takes for idle, while a request that has arrived is not read yet
   * or an answer is still being sent.
   */
  async drain(): Promise<void> {
    await new Promise<void>(afterReading);
    await this.#until(() => [...this.#connections.values()].every(({ isFlushing }) => !isFlushing));
    for (const server of this.#servers) if (server.listening) server.close();
    await this.#until(() => this.#connections.size === 0);
    clearTimeout(this.#timer);
    // So that clients in this process, such as a test's, see their connections end before this resolves.
    await new Promise<void>(afterReading);
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

  /** Records a connection whose TLS handshake has begun. */
  #await(socket: Socket): void {
    const address = addressOf(socket);
    if (address === undefined) return; // without addresses, #secure() could not find it
    const connection = this.#open(socket, false);
    this.#handshakes.set(address, connection);
    socket.once('close', () => {
      if (this.#handshakes.get(address) === connection) this.#handshakes.delete(address);
    });
  }

  /**
   * Replaces the socket of a connection whose TLS handshake is over. Node does not say which connection a new socket
   * belongs to, so it is found by the addresses of both ends.
   */
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
    if (request.httpVersionMajor > 1) return; // an HTTP/2 session that is closing ends with its last answer
    const { socket } = request;
    const connection = this.#connections.get(socket) ?? this.#open(socket); // undefined if it was opened before watch()
    connection.receive(request, response, () => {
      if (this.#state === 'draining') this.#settle(connection);
      this.#look();
    });
    // On the next tick all requests of the same packet have been read, and asynchronous handlers have not answered yet.
    if (this.#state === 'draining') process.nextTick(() => connection.announceClose());
  }

  /** Closes HTTP/2 sessions at shutdown: `session.close()` refuses new requests and ends with the last answer. */
  #follow(session: Http2Session): void {
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    if (this.#state !== 'serving') session.close();
  }

  /**
   * Node treats a request to upgrade like any other as long as nobody listens to "upgrade". A listener of ours alone would
   * change that, so this listens only while somebody else does.
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

  /** Closes a silent or idle connection, after what has arrived already has been read: it may be a request. */
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

  /** Makes every #until() check its condition again. */
  #look(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Calls back when the event loop has read what has arrived so far: after the next turn, as this one may have read in part. */
function afterReading(act: () => void): void {
  setImmediate(() => setImmediate(act));
}

/** `undefined` for a socket without addresses, such as a Unix socket. */
function addressOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
