// Importing the module named on the command line leaves the process as it was.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import * as terminus from '@nestjs/terminus';
import * as telemetry from '@opentelemetry/api';

assert.ok(common && core && terminus && telemetry); // what they do themselves has been done
const look = () => ({
  globals: Reflect.ownKeys(globalThis),
  listeners: process.eventNames().map((name) => [name, process.listenerCount(name)]),
  resources: process.getActiveResourcesInfo(),
  metadata: [Object, Function, common.Module].map((target) => Reflect.getMetadataKeys(target)),
});
const before = look();
await import(process.argv[2]);
assert.deepEqual(look(), before);
