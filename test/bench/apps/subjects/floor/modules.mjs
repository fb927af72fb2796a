/**
 * Two modules that do nothing: what it takes of Nest to be the last to open and the last to close. Hooks run in an order
 * that Nest derives from who imports whom.
 *
 * Their dependencies are those of any library that finds out who injects what.
 */
import { Inject, Module } from '@nestjs/common';
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
Module({})(OuterModule);

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
