import { Logger } from '@nestjs/common';
import type { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { Server } from 'node:net';
import { HTTP_DRAIN } from '../clients.tokens.js';

/** Milliseconds that a shutdown waits for the HTTP server before the log says so. */
export const QUIET_DRAIN = 10_000;

/**
 * Logs once what a shutdown is waiting for, if it waits long. Nest silently waits for every open connection, without a
 * limit, and clients close only after that. `HttpDrainModule` bounds the wait, so that no warning is needed.
 */
export class DrainWarning {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly host: Partial<HttpAdapterHost>,
    private readonly modules: ModulesContainer,
  ) {}

  /** The server is about to close. */
  start(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#warn(), QUIET_DRAIN).unref();
  }

  /** The server has closed. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #warn(): void {
    const server = this.host.httpAdapter?.getHttpServer() as Partial<Server> | undefined;
    const isBounded = [...this.modules.values()].some(({ providers }) => providers.has(HTTP_DRAIN));
    if (isBounded || typeof server?.getConnections !== 'function') return;
    server.getConnections((error, count) => {
      if (error || count === 0) return;
      const open = count === 1 ? '1 connection is' : `${count} connections are`;
      new Logger('ClientsModule').warn(
        `Shutdown has waited ${QUIET_DRAIN / 1_000} s for the HTTP server: ${open} still open. Nest waits until they end, without a limit, and clients close only then. ` +
          'To bound it, import HttpDrainModule.forRoot() of nestjs-clients/http, or create the application with forceCloseConnections: true, which also cuts off handlers at work',
      );
    });
  }
}
