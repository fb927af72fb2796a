/**
 * Many clients, or many injections of one. Arguments: 'ours', 'plain' or 'floor', 'declared' or 'injected', how many.
 *
 * Plain: factory providers of a global module that exports them, which is what hand-written clients are. Floor: transient
 * ones that inject two values of their own module.
 */
import 'reflect-metadata';
import { Scope } from '@nestjs/common';
import { INQUIRER, NestFactory } from '@nestjs/core';
import { ClientsModule, defineClient, getClientToken } from 'nestjs-clients';
import { asInjectable, asModule } from './decorate.mjs';

const [kind, what, count] = process.argv.slice(2);
const PlainModule = asModule({}, class PlainModule {});
const create = () => ({});
const inquirer = { provide: INQUIRER, scope: Scope.TRANSIENT, useFactory: () => undefined };

// What Nest has to load and compile in any case is not what many clients cost.
await (await NestFactory.createApplicationContext(asModule({}), { logger: false })).close();
gc();
const heapBefore = process.memoryUsage().heapUsed;
const startedAt = performance.now();
const metadata = what === 'declared' ? declare(Number(count)) : injectOne(Number(count));
const app = await NestFactory.createApplicationContext(asModule(metadata), { logger: false });
const time = performance.now() - startedAt;
gc();
const heap = process.memoryUsage().heapUsed - heapBefore;
console.log(JSON.stringify({ time, heap }));
await app.close();

function declare(length) {
  const names = Array.from({ length }, (_, index) => `client${index}`);
  if (kind === 'ours') {
    const clients = Object.fromEntries(names.map((name) => [name, defineClient({ create })]));
    return { imports: [ClientsModule.forRoot({ clients })] };
  }
  const providers =
    kind === 'floor' ? names.map(asTransient) : names.map((provide) => ({ provide, useFactory: create }));
  if (kind === 'floor') providers.push({ provide: 'REGISTRY', useValue: {} }, inquirer);
  return { imports: [{ module: PlainModule, global: true, providers, exports: names }] };
}

function asTransient(provide) {
  return { provide, scope: Scope.TRANSIENT, inject: ['REGISTRY', INQUIRER], useFactory: create };
}

function injectOne(length) {
  const token = kind === 'ours' ? getClientToken('client0') : 'client0';
  const providers = Array.from({ length }, () => {
    class Consumer {
      constructor(client) {
        this.client = client;
      }
    }
    return asInjectable(Consumer, [token]);
  });
  return { ...declare(1), providers };
}
