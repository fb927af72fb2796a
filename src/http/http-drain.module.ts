import {
  Inject,
  Module,
  Optional,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { Server } from 'node:http';
import { HTTP_DRAIN } from '../clients.tokens.js';
import { setDistance } from '../module/set-distance.js';
import { HttpDrain } from './http-drain.js';
import { DRAIN_OPTIONS, validateDrainOptions, type HttpDrainOptions } from './http-drain.module-options.js';

/** Provides one `HttpDrain` an application, however often the module is imported. Its hooks run last before the server closes. */
@Module({ providers: [HttpDrain, { provide: HTTP_DRAIN, useExisting: HttpDrain }], exports: [HttpDrain] })
export class HttpDrainCoreModule implements OnModuleInit, BeforeApplicationShutdown {
  constructor(
    @Inject(HttpDrain) private readonly drain: HttpDrain,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(ModulesContainer) modules: ModulesContainer,
  ) {
    setDistance(modules, this, Infinity);
  }

  /** Nest creates its server after the providers. An application without HTTP has none. */
  onModuleInit(): void {
    const { httpAdapter } = this.host as Partial<HttpAdapterHost>;
    const server = httpAdapter?.getHttpServer() as Partial<Server> | undefined;
    if (typeof server?.prependListener === 'function') this.drain.watch(server as Server);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.drain.drain();
  }
}

/**
 * Makes a shutdown wait until the requests in flight are answered, for nothing else, and no longer than a timeout. By
 * itself, Nest waits for every open connection, without a limit, and clients close only after that.
 *
 * When shutdown begins, idle connections are closed, and answers say `Connection: close`. Connections with a request in
 * flight, or in the middle of sending one, stay open until the timeout. Those that are left then are cut, and one log
 * line says how many they were, and with which requests. It works with Express and Fastify, HTTP and HTTPS.
 *
 * @example
 * @Module({ imports: [HttpDrainModule.forRoot({ timeout: 20_000 })] })
 * export class AppModule {}
 */
@Module({ imports: [HttpDrainCoreModule], exports: [HttpDrainCoreModule] })
export class HttpDrainModule implements OnModuleDestroy {
  /** @internal Nest calls it. */
  constructor(
    @Inject(HttpDrain) private readonly drain: HttpDrain,
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Optional() @Inject(DRAIN_OPTIONS) options: HttpDrainOptions | undefined,
  ) {
    setDistance(modules, this, -Infinity);
    if (options?.timeout !== undefined) drain.allow(options.timeout);
  }

  /** One of the first hooks of shutdown. */
  onModuleDestroy(): void {
    this.drain.begin();
  }

  /**
   * Import it in the root module.
   *
   * @param options `timeout`, in milliseconds from the beginning of shutdown, default 15,000
   * @throws ClientsInvalidOptionsError (`CLIENTS_INVALID_OPTIONS`) if an option cannot work
   * @example
   * HttpDrainModule.forRoot(); // connections are cut after 15 s
   */
  static forRoot(options: HttpDrainOptions = {}): DynamicModule {
    validateDrainOptions(options);
    return { module: HttpDrainModule, providers: [{ provide: DRAIN_OPTIONS, useValue: { ...options } }] };
  }
}
