/** What bootstrap costs, in a process that has loaded Nest and the subject's package. Arguments: the subject's file. */
import { NestFactory } from '@nestjs/core';
import '@nestjs/platform-express';
import { countModules } from './loaded-modules.mjs';
import { createService } from './service.mjs';
import { weigh } from './weigh.mjs';

const [file, counting] = process.argv.slice(2);
const counted = counting && (await countModules());
const { declare, observe } = await import(file);
const before = weigh();
const cpuBefore = process.cpuUsage();
const startedAt = performance.now();
const subject = declare();
const declaring = performance.now() - startedAt;
const app = await NestFactory.create(createService(subject), { logger: false });
const observed = observe?.(app);
await app.init();
const time = performance.now() - startedAt;
const { user, system } = process.cpuUsage(cpuBefore);
const total = performance.now();
const after = weigh();
const sockets = process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP')).length;
const measured = after
  ? { heap: after.heapUsed - before.heapUsed }
  : { time, cpu: (user + system) / 1e3, declaring, total };

console.log(JSON.stringify({ ...measured, sockets, ...(counting && counted()), ...observed?.() }));
process.exit();
