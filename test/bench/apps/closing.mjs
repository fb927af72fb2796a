/** Milliseconds of `app.close()`. Arguments: 'independent' or 'chain', how many, milliseconds that each client takes. */
import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { ClientsModule, defineClient, getClientToken } from 'nestjs-clients';
import { asInjectable, asModule } from './decorate.mjs';

const [shape, count, duration] = process.argv.slice(2);
const closed = [];
const clients = {};
for (let index = 0; index < Number(count); index++) {
  const inject = shape === 'chain' && index > 0 ? [getClientToken(`client${index - 1}`)] : [];
  const close = async () => {
    await delay(Number(duration));
    closed.push(index);
  };
  clients[`client${index}`] = defineClient({ inject, create: () => ({}), close });
}
// A chain is built by whoever injects its end.
const injected = Object.keys(clients).slice(shape === 'chain' ? -1 : 0);
const Consumer = asInjectable(class Consumer {}, injected.map(getClientToken));
const metadata = { imports: [ClientsModule.forRoot({ clients })], providers: [Consumer] };
const app = await NestFactory.createApplicationContext(asModule(metadata), { logger: false });
const startedAt = performance.now();
await app.close();
const time = performance.now() - startedAt;
const inOrder = shape !== 'chain' || closed.every((index, place) => index === Number(count) - 1 - place);
if (closed.length !== Number(count) || !inOrder) throw new Error(`closed ${closed.join()}`);
console.log(JSON.stringify({ time }));
