import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Lets a shutdown wait for the answers that the server owes, and for nothing else. By itself, a server that closes also
 * waits for connections that have sent no request yet (without end: browsers open such), and for those that were busy,
 * for keepAliveTimeout (5 s). Only then would the clients be closed.
 */
@Injectable()
export class HttpDrain implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly unused = new Set<Socket>();
  private readonly owed = new Set<ServerResponse>();
  private draining = false;

  constructor(private readonly adapterHost: HttpAdapterHost) {}

  onApplicationBootstrap(): void {
    const server: Server = this.adapterHost.httpAdapter.getHttpServer();
    server.on('connection', (socket) => {
      this.release(socket);
      socket.once('close', () => this.unused.delete(socket));
    });
    server.on('request', ({ socket }, response) => {
      this.unused.delete(socket);
      this.owed.add(response);
      response.once('close', () => {
        this.owed.delete(response);
        this.release(socket);
      });
    });
  }

  beforeApplicationShutdown(): void {
    this.draining = true;
    for (const socket of this.unused) socket.destroy();
    // Makes Node answer with "Connection: close", so that the next request goes elsewhere.
    for (const response of this.owed) response.shouldKeepAlive = false;
  }

  private release(socket: Socket): void {
    if (this.draining) socket.destroy();
    else if (!socket.destroyed) this.unused.add(socket);
  }
}
