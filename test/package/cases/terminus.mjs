import 'reflect-metadata';
import assert from 'node:assert/strict';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { ClientsModule, defineClient } from 'nestjs-clients';
import { ClientsHealthIndicator } from 'nestjs-clients/terminus';

class App {}
Module({
  imports: [
    TerminusModule.forRoot({ logger: false }),
    ClientsModule.forRoot({ clients: { custom: defineClient({ create: () => ({}) }) } }),
  ],
  providers: [ClientsHealthIndicator],
})(App);
const app = await NestFactory.createApplicationContext(App, { logger: false });
const result = await app.get(ClientsHealthIndicator).isHealthy('clients');
assert.equal(result.clients.status, 'up');
await app.close();
console.log('the health indicator answers');
