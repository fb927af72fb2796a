import 'reflect-metadata';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientRegistry, ClientsModule } from 'nestjs-clients';
import { awsClient } from 'nestjs-clients/aws';

const require = createRequire(import.meta.url);
assert.equal(require('nestjs-clients/aws').awsClient, awsClient);

const held = [];
const server = createServer((request, response) => held.push(response)).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const options = {
  endpoint: `http://127.0.0.1:${server.address().port}`,
  region: 'eu-west-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
};
const missing = '@aws-sdk/client-sns';
class App {}
const clients = {
  sqs: awsClient(async () => (await import('@aws-sdk/client-sqs')).SQSClient, options),
  required: awsClient(async () => require('@aws-sdk/client-sqs').SQSClient, options),
  imported: awsClient(async () => (await import(missing)).SNSClient),
  absent: awsClient(async () => require(missing).SNSClient),
};
Module({ imports: [ClientsModule.forRoot({ clients })] })(App);
const app = await NestFactory.createApplicationContext(App, { logger: false });
const registry = app.get(ClientRegistry);
for (const name of ['imported', 'absent']) {
  await assert.rejects(registry.get(name), {
    code: 'CLIENTS_MISSING_PACKAGE',
    message: `Client "${name}" needs the package "${missing}", which is not installed. Run: npm install ${missing}`,
  });
}
const sqs = await registry.get('sqs');
assert.ok(sqs instanceof SQSClient);
assert.ok((await registry.get('required')) instanceof SQSClient);
const command = new SendMessageCommand({ QueueUrl: `${options.endpoint}/1/jobs`, MessageBody: 'hello' });
const answer = sqs.send(command);
await new Promise((resolve) => server.once('request', resolve));
const closed = app.close();
held[0].setHeader('content-type', 'application/x-amz-json-1.0');
held[0].end(JSON.stringify({ MessageId: '1', MD5OfMessageBody: '5d41402abc4b2a76b9719d911017c592' }));
assert.equal((await answer).MessageId, '1');
await closed;
await assert.rejects(sqs.send(command), { code: 'CLIENTS_CLOSED' });
assert.equal(held.length, 1);
server.close();
console.log('a request in flight is answered at close, once; a package that is not installed is named');
