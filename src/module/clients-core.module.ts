import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { registryProviders } from './clients.providers.js';
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
export class ClientsCoreModule implements OnApplicationShutdown {
  constructor(
    @Inject(REGISTRY) private readonly registry: ClientRegistry,
    @Inject(ModulesContainer) modules: ModulesContainer,
  ) {
    setDistance(modules, this, Infinity);
  }

  async onApplicationShutdown(): Promise<void> {
    // Each failure is logged and published already; Nest would log the whole again.
    await this.registry.close().catch(() => {});
  }
}
