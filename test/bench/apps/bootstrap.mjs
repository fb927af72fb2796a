/** What bootstrap costs, in a process that has loaded Nest and the subject's package. Arguments: the subject's file. */
import { NestFactory } from '@nestjs/core';
import '@nestjs/platform-express';
import { countModules } from './loaded-modules.mjs';
import { createService } from './service.mjs';

const [file, counting] = process.argv.slice(2);
const counted = counting && (await countModules());
const { declare, observe } = await import(file);
gc();
const heapBefore = process.memoryUsage().heapUsed;
const startedAt = performance.now();
const subject = declare();
const app = await NestFactory.create(createService(subject), { logger: false });
const observed = observe?.(app);
await app.init();
const time = performance.now() - startedAt;
const total = performance.now();
gc();
const heap = process.memoryUsage().heapUsed - heapBefore;
const sockets = process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP')).length;

console.log(JSON.stringify({ time, total, heap, sockets, ...(counting && counted()), ...observed?.() }));
process.exit();
