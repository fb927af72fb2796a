import 'reflect-metadata';
import assert from 'node:assert/strict';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createNoopMeter, metrics } from '@opentelemetry/api';
import { ClientsModule, defineClient } from 'nestjs-clients';
import { ClientsTelemetry } from 'nestjs-clients/opentelemetry';

const meters = [];
metrics.setGlobalMeterProvider({
  getMeter(name) {
    meters.push(name);
    return createNoopMeter();
  },
});
class App {}
const custom = defineClient({ create: () => ({}) }, { eager: true });
Module({ imports: [ClientsModule.forRoot({ clients: { custom } })], providers: [ClientsTelemetry] })(App);
const app = await NestFactory.createApplicationContext(App, { logger: false });
assert.ok(app.get(ClientsTelemetry));
await app.close();
assert.deepEqual(meters, ['nestjs-clients']);
console.log('the telemetry gets a meter');
