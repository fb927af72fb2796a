/** Ways to start the service of a subject, for entries that are run as they are or bundled. */
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { createService } from './service.mjs';

// To write its compile cache, a process must exit by itself.
process.on('SIGHUP', () => process.exit());

/** Serves HTTP and prints the port. */
export async function serve({ declare }) {
  const app = await NestFactory.create(createService(declare()), new ExpressAdapter(), { logger: false });
  app.enableShutdownHooks();
  await app.listen(0, '127.0.0.1');
  process.stdout.write(String(app.getHttpServer().address().port));
}

/**
 * A function as a serverless platform runs it: the application is made by the first invocation and kept for the next ones,
 * and the process stands still in between. An invocation is a line on stdin, its answer a line on stdout.
 */
export async function invoke({ declare }) {
  let controller;
  const start = async () => {
    const Service = createService(declare());
    const app = await NestFactory.createApplicationContext(Service, { logger: false });
    return app.get(Service.ClientController, { strict: false });
  };
  for await (const _ of process.stdin) {
    controller ??= start();
    const answer = await (await controller).find('1');
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit();
}
