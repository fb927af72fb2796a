import type { ModulesContainer } from '@nestjs/core';

/**
 * Sets when Nest calls a module's hooks. Nest goes by distance from the root module: the most distant module comes first at
 * bootstrap and last at shutdown. Global modules all have the same distance, so the order of imports would decide.
 */
export function setDistance(modules: ModulesContainer, module: object, distance: number): void {
  for (const candidate of modules.values()) {
    if (candidate.metatype === module.constructor) candidate.distance = distance;
  }
}
