import { NestFactory } from '@nestjs/core';
import type { Server } from 'node:http';
import { AppModule } from './app.module.js';
import { AppConfig } from './config/app-config.js';
import { startLocalServers } from './local-servers.js';

await startLocalServers(process.env);

const app = await NestFactory.create(AppModule);
// SIGTERM: requests in flight are answered, then every client is closed, then the process ends.
app.enableShutdownHooks();

// Closing a server ends the keep-alive sockets that are idle by then. One that is busy would hold up the shutdown for
// keepAliveTimeout (5 s) after its last answer.
const server: Server = app.getHttpServer();
server.on('request', (_request, response) => {
  response.once('close', () => {
    if (!server.listening) server.closeIdleConnections();
  });
});

const { port, host } = app.get(AppConfig, { strict: false });
await app.listen(port, host);
console.log(`Link shortener ready at ${await app.getUrl()}`);
