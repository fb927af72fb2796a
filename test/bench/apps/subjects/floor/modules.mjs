/**
 * Two modules that do nothing. Nest calls hooks module by module, and no one module is both the last to open and the last
 * to close: what any library takes that is both.
 *
 * Their providers and dependencies are those of nestjs-clients.
 */
import { Inject } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import { asModule } from '../../decorate.mjs';

class Registry {}
const OPTIONS = Symbol('options');

class InnerModule {
  onApplicationShutdown() {}
}
inject(InnerModule, [Registry, ModulesContainer]);
const registry = { provide: Registry, inject: [ModulesContainer], useFactory: () => new Registry() };
asModule({ providers: [registry], exports: [Registry] }, InnerModule);

export class OuterModule {
  onApplicationBootstrap() {}
  onModuleDestroy() {}
}
inject(OuterModule, [Registry, OPTIONS, ModuleRef, ModulesContainer]);
asModule({}, OuterModule);

export const declare = (providers = [], names = []) => ({
  imports: [
    {
      module: OuterModule,
      global: true,
      imports: [InnerModule],
      providers: [{ provide: OPTIONS, useValue: {} }, ...providers],
      exports: [InnerModule, ...names],
    },
  ],
});

function inject(target, tokens) {
  tokens.forEach((token, index) => Inject(token)(target, undefined, index));
}
