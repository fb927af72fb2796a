/**
 * Many clients, or many injections of one. Arguments: 'ours', 'plain' or 'floor', 'declared' or 'injected', how many.
 *
 * Plain: factory providers of a global module that exports them, which is what hand-written clients are. Floor: transient
 * ones in two modules that do nothing.
 */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { ClientsModule, defineClient, getClientToken } from 'nestjs-clients';
import { asInjectable, asModule } from './decorate.mjs';
import { declare as declareFloor } from './subjects/floor/transient.mjs';
import { weigh } from './weigh.mjs';

const [kind, what, count] = process.argv.slice(2);
const PlainModule = asModule({}, class PlainModule {});
const create = () => ({});

// What Nest has to load and compile in any case is not what many clients cost.
await (await NestFactory.createApplicationContext(asModule({}), { logger: false })).close();
const before = weigh();
const cpuBefore = process.cpuUsage();
const startedAt = performance.now();
const metadata = what === 'declared' ? declare(Number(count)) : injectOne(Number(count));
const app = await NestFactory.createApplicationContext(asModule(metadata), { logger: false });
const time = performance.now() - startedAt;
const { user, system } = process.cpuUsage(cpuBefore);
const after = weigh();
console.log(JSON.stringify(after ? { heap: after.heapUsed - before.heapUsed } : { time, cpu: (user + system) / 1e3 }));
await app.close();

function declare(length) {
  const names = Array.from({ length }, (_, index) => `client${index}`);
  if (kind === 'ours') {
    const clients = Object.fromEntries(names.map((name) => [name, defineClient({ create })]));
    return { imports: [ClientsModule.forRoot({ clients })] };
  }
  if (kind === 'floor') return declareFloor(names);
  const providers = names.map((provide) => ({ provide, useFactory: create }));
  return { imports: [{ module: PlainModule, global: true, providers, exports: names }] };
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
