import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { AppConfig } from './config/app-config.js';
import { startLocalServers } from './local-servers.js';

await startLocalServers(process.env);

const app = await NestFactory.create(AppModule);
// SIGTERM: requests in flight are answered, then every client is closed, then the process ends.
app.enableShutdownHooks();

const { port, host } = app.get(AppConfig);
await app.listen(port, host);
console.log(`Link shortener ready at ${await app.getUrl()}`);
