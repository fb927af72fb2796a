/**
 * Microseconds that Nest takes to resolve a request-scoped class with one dependency. Arguments: rounds.
 *
 * Nest's own floor is a transient factory that returns a constant.
 */
import 'reflect-metadata';
import { Scope } from '@nestjs/common';
import { ContextIdFactory, NestFactory } from '@nestjs/core';
import { ClientsModule, defineClient, getClientToken } from 'nestjs-clients';
import { asInjectable, asModule } from './decorate.mjs';

const RESOLVES = 3_000;
const value = {};

const apps = {
  default: await createApp({ providers: [{ provide: 'VALUE', useFactory: () => value }] }, 'VALUE'),
  transient: await createApp(
    { providers: [{ provide: 'VALUE', scope: Scope.TRANSIENT, useFactory: () => value }] },
    'VALUE',
  ),
  ours: await createApp(
    { imports: [ClientsModule.forRoot({ clients: { value: defineClient({ create: () => value }) } })] },
    getClientToken('value'),
  ),
};

const series = Object.fromEntries(Object.keys(apps).map((name) => [name, []]));
const rounds = Number(process.argv[2]);
for (let round = -3; round < rounds; round++) {
  const order = Object.entries(apps);
  if (round % 2) order.reverse();
  for (const [name, resolve] of order) {
    gc();
    const startedAt = performance.now();
    for (let index = 0; index < RESOLVES; index++) await resolve();
    const time = ((performance.now() - startedAt) * 1e3) / RESOLVES;
    if (round >= 0) series[name].push(time);
  }
}
console.log(JSON.stringify(series));
process.exit();

async function createApp(metadata, token) {
  class Consumer {
    constructor(client) {
      if (client !== value) throw new Error(`${String(token)} was not injected`);
    }
  }
  asInjectable(Consumer, [token], { scope: Scope.REQUEST });
  const { imports, providers = [] } = metadata;
  const app = await NestFactory.createApplicationContext(asModule({ imports, providers: [...providers, Consumer] }), {
    logger: false,
  });
  return () => app.resolve(Consumer, ContextIdFactory.create());
}
