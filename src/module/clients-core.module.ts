import { Inject, Module, type BeforeApplicationShutdown, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { registryProviders } from './clients.providers.js';
import { DrainWarning } from './drain-warning.js';
import { ShutdownWarning } from './shutdown-warning.js';
import { ClientRegistry, REGISTRY } from '../registry/client-registry.js';

/**
 * Nest calls hooks module by module, by distance from the root: at bootstrap the most distant first, at shutdown last.
 * Global modules tie, and then the order of imports would decide. A distance of its own lifts a module out of that.
 */
export function setDistance(modules: ModulesContainer, module: object, distance: number): void {
  for (const candidate of modules.values()) {
    if (candidate.metatype === module.constructor) candidate.distance = distance;
  }
}

/** Has the application's one registry, and closes it after every other module's shutdown hook. */
@Module({ providers: [...registryProviders, ShutdownWarning], exports: [ClientRegistry, REGISTRY, ShutdownWarning] })
export class ClientsCoreModule implements BeforeApplicationShutdown, OnApplicationShutdown {
  /** There while the application shuts down. */
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
    // Each failure is logged and published already; Nest would log the whole again.
    await this.registry.close().catch(() => {});
  }
}
