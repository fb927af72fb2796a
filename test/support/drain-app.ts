import { once } from 'node:events';
import { Body, Controller, Get, Post, Sse, type INestApplication, type MessageEvent, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Server } from 'node:http';
import { NEVER, startWith, type Observable } from 'rxjs';
import { onTestFinished } from 'vitest';
import { HttpDrainModule, type HttpDrainOptions } from '../../src/http/index.js';
import { clientsOf, moduleOf, registryOf } from './boot-app.js';
import type { Certificate } from './certificate.js';
import { deferred } from './deferred.js';
import { Journal } from './journal.js';
import { RawConnection } from './raw-connection.js';
import { RecordingLogger } from './recording-logger.js';

export type Platform = 'Express' | 'Fastify';

export interface DrainAppOptions {
  platform?: Platform;
  certificate?: Certificate;
  /** Options of Fastify. */
  http2?: boolean;
  /** `false` leaves out `HttpDrainModule`. Default: a timeout that no test reaches. */
  drain?: HttpDrainOptions | false;
  imports?: NonNullable<Parameters<typeof moduleOf>[0]['imports']>;
  providers?: Type[];
  forceCloseConnections?: boolean;
  prepare?: (app: INestApplication) => void;
}

/** A service that answers when the test says so, with a client `main` that is built. */
export class DrainApp {
  readonly journal = new Journal();
  readonly logger = new RecordingLogger();
  /** Lets the handlers of `/held` answer. */
  readonly release = deferred();
  app!: INestApplication;
  url = '';
  #held = 0;
  #notify = (): void => {};

  static async start(options: DrainAppOptions = {}): Promise<DrainApp> {
    const it = new DrainApp();
    const { platform = 'Express', certificate, drain = { timeout: 20_000 }, imports = [], providers = [] } = options;
    const root = moduleOf({
      imports: [
        clientsOf({ main: it.journal.client('main') }),
        ...(drain === false ? [] : [HttpDrainModule.forRoot(drain)]),
        ...imports,
      ],
      controllers: [controllerOf(it)],
      providers,
    });
    const adapter =
      platform === 'Express'
        ? new ExpressAdapter()
        : new FastifyAdapter({
            ...(certificate && { https: certificate }),
            ...(options.http2 && { http2: true }),
          } as object);
    it.app = await NestFactory.create(root, adapter, {
      logger: it.logger,
      abortOnError: false,
      forceCloseConnections: options.forceCloseConnections ?? false,
      ...(certificate && platform === 'Express' && { httpsOptions: certificate }),
    });
    options.prepare?.(it.app);
    await it.app.listen(0, '127.0.0.1');
    it.url = (await it.app.getUrl()).replace(/^https?/, certificate ? 'https' : 'http');
    await registryOf(it.app).get('main');
    onTestFinished(async () => {
      it.release.resolve();
      (it.server as { closeAllConnections?(): void }).closeAllConnections?.();
      await it.app.close();
    });
    return it;
  }

  get server(): Server {
    return this.app.getHttpServer() as Server;
  }

  /** A connection that the server has accepted. */
  async connect(): Promise<RawConnection> {
    const accepted = once(this.server, this.url.startsWith('https') ? 'secureConnection' : 'connection');
    const connection = await RawConnection.open(this.url);
    await accepted;
    return connection;
  }

  /** A connection that has had an answer and is kept alive. */
  async connectAndAsk(): Promise<RawConnection> {
    const connection = await this.connect();
    await connection.sendRequest('/hello');
    await connection.until(/hello\}$/);
    return connection;
  }

  /** Resolves when `count` requests to `/held`, or uploads, have arrived in all. */
  async untilHeld(count: number): Promise<void> {
    while (this.#held < count) {
      await new Promise<void>((resolve) => (this.#notify = resolve));
    }
  }

  hold(): Promise<void> {
    this.#held += 1;
    this.#notify();
    return this.release.promise;
  }

  /** Closes the application. Resolves with the milliseconds that it took. */
  async close(): Promise<number> {
    const start = performance.now();
    await this.app.close();
    return performance.now() - start;
  }

  /** What the drain has logged. */
  get lines(): string[] {
    return this.logger.lines.filter((line) => line.endsWith(' HttpDrainModule'));
  }
}

function controllerOf(service: DrainApp): Type {
  @Controller()
  class DrainController {
    @Get('hello')
    hello(): string {
      return '{hello}';
    }

    @Get('held')
    async held(): Promise<string> {
      await service.hold();
      return '{held}';
    }

    @Get('events')
    @Sse('events')
    events(): Observable<MessageEvent> {
      return NEVER.pipe(startWith({ data: 'begun' }));
    }

    @Post('upload')
    upload(@Body() body: { text: string }): string {
      return `{${body.text.length} characters}`;
    }
  }
  return DrainController;
}
