import { ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { AppConfig } from './config/environment.js';
import { startLocalServers } from './local-servers.js';
import { servePage } from './page.js';

await startLocalServers(process.env);
// Only now, because ConfigModule reads the environment when this module is imported.
const { AppModule } = await import('./app.module.js');

const app = await NestFactory.create<NestExpressApplication>(AppModule);
const config = app.get<AppConfig>(ConfigService);
// Whose X-Forwarded-* headers count: anybody can send them, so only those that this many proxies in front have set.
app.set('trust proxy', config.get('TRUST_PROXY', { infer: true }));
servePage(app);
// SIGTERM: requests in flight are answered, then every client is closed, then the process ends.
app.enableShutdownHooks();

await app.listen(config.get('PORT', { infer: true }), config.get('HOST', { infer: true }));
console.log(`Link shortener ready at ${await app.getUrl()}`);
