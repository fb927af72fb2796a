/** Serves the service of one subject until a signal. Arguments: the subject's file. */
import { NestFactory } from '@nestjs/core';
import { createService } from './service.mjs';

const { declare } = await import(process.argv[2]);
const app = await NestFactory.create(createService(declare()), { logger: false });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
process.stdout.write(String(app.getHttpServer().address().port));
