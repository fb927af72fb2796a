/** Milliseconds to build many clients on one base, and the heap of each. Arguments: how many. */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { ClientRegistry, ClientsModule, defineClient, getClientToken } from 'nestjs-clients';
import { asModule } from '../decorate.mjs';
import { weigh } from '../weigh.mjs';

const names = Array.from({ length: Number(process.argv[2]) }, (_, index) => `client${index}`);
const create = () => ({});
const inject = [getClientToken('base')];
const clients = { base: defineClient({ create }) };
for (const name of names) clients[name] = defineClient({ inject, create });
const app = await NestFactory.createApplicationContext(asModule({ imports: [ClientsModule.forRoot({ clients })] }), {
  logger: false,
});
const registry = app.get(ClientRegistry);
const heap = weigh()?.heapUsed;
const before = process.cpuUsage();
const startedAt = performance.now();
for (const name of names) await registry.get(name);
const time = performance.now() - startedAt;
const { user, system } = process.cpuUsage(before);
const weighed = heap && { heap: (weigh().heapUsed - heap) / names.length };
console.log(JSON.stringify(weighed ?? { time, cpu: (user + system) / 1e3 }));
process.exit();
