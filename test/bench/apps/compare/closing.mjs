/** Milliseconds of `app.close()` with many clients that close at once. Arguments: 'idle' or 'built', how many. */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { ClientRegistry, ClientsModule, defineClient } from 'nestjs-clients';
import { asModule } from '../decorate.mjs';

const [state, count] = process.argv.slice(2);
const names = Array.from({ length: Number(count) }, (_, index) => `client${index}`);
let closed = 0;
const driver = {
  create: () => ({}),
  close: () => {
    closed += 1;
  },
};
const clients = Object.fromEntries(names.map((name) => [name, defineClient(driver)]));
const app = await NestFactory.createApplicationContext(asModule({ imports: [ClientsModule.forRoot({ clients })] }), {
  logger: false,
});
const registry = app.get(ClientRegistry);
if (state === 'built') for (const name of names) await registry.get(name);
const before = process.cpuUsage();
const startedAt = performance.now();
await app.close();
const time = performance.now() - startedAt;
const { user, system } = process.cpuUsage(before);
if (closed !== (state === 'built' ? names.length : 0)) throw new Error(`${closed} were closed`);
console.log(JSON.stringify({ time, cpu: (user + system) / 1e3 }));
process.exit();
