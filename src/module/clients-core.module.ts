import { Inject, Module, type BeforeApplicationShutdown, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { registryProviders } from './clients.providers.js';
import { DrainWarning } from './drain-warning.js';
import { setDistance } from './set-distance.js';
import { ShutdownWarning } from './shutdown-warning.js';
import { ClientRegistry, REGISTRY } from '../registry/client-registry.js';

/** Provides the application's one registry, and closes it after every other module's shutdown hook. */
@Module({ providers: [...registryProviders, ShutdownWarning], exports: [ClientRegistry, REGISTRY, ShutdownWarning] })
export class ClientsCoreModule implements BeforeApplicationShutdown, OnApplicationShutdown {
  /** Set while the application shuts down. */
  private drainWarning: DrainWarning | undefined;

  constructor(
    @Inject(REGISTRY) private readonly registry: ClientRegistry,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {
    setDistance(modules, this, Infinity);
  }

  /** The last hook before Nest closes its HTTP server. */
  beforeApplicationShutdown(): void {
    this.drainWarning ??= new DrainWarning(this.host, this.modules);
    this.drainWarning.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.drainWarning?.stop();
    // Each failure has been logged and published; Nest would log them all again.
    await this.registry.close().catch(() => {});
  }
}
