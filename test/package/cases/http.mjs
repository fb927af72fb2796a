import 'reflect-metadata';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HttpDrainModule } from 'nestjs-clients/http';

class App {}
Module({ imports: [HttpDrainModule.forRoot({ timeout: 300 })] })(App);
const app = await NestFactory.create(App, { logger: false });
await app.listen(0, '127.0.0.1');
const socket = connect(new URL(await app.getUrl()).port, '127.0.0.1');
await once(socket, 'connect');
socket.write('GET /half'); // without the rest it would keep Nest waiting for ever
const ended = once(socket, 'close');
await app.close();
await ended;
assert.throws(() => HttpDrainModule.forRoot({ timeout: -1 }), { code: 'CLIENTS_INVALID_OPTIONS' });
console.log('a shutdown ends although a connection does not');
