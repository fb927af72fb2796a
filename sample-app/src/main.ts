import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { AppConfig } from './config/app-config.js';
import { startLocalServers } from './local-servers.js';
import { servePage } from './page.js';

await startLocalServers(process.env);

const app = await NestFactory.create<NestExpressApplication>(AppModule);
servePage(app);
// SIGTERM: requests in flight are answered, then every client is closed, then the process ends.
app.enableShutdownHooks();

const { port, host } = app.get(AppConfig);
await app.listen(port, host);
console.log(`Link shortener ready at ${await app.getUrl()}`);
