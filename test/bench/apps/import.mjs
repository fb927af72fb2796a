/** What importing a package costs in a process that has loaded Nest. Arguments: the file that imports it. */
import 'reflect-metadata';
import '@nestjs/common';
import '@nestjs/core';
import '@nestjs/platform-express';
import { countModules } from './loaded-modules.mjs';
import { weigh } from './weigh.mjs';

const [file, counting] = process.argv.slice(2);
await import('./imports/nothing.mjs'); // the first import() of a process sets up the loader
const counted = counting && (await countModules());
const before = weigh();
const cpuBefore = process.cpuUsage();
const startedAt = performance.now();
await import(file);
const time = performance.now() - startedAt;
const { user, system } = process.cpuUsage(cpuBefore);
const after = weigh();
const weight = after && { heap: after.heapUsed - before.heapUsed, rss: after.rss - before.rss };

console.log(JSON.stringify(weight ?? { time, cpu: (user + system) / 1e3, ...(counting && counted()) }));
process.exit();
