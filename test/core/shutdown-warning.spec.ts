import { describe, expect, it } from 'vitest';
import { runInNode } from '../support/run-in-node.js';

const { VITEST: _, NODE_ENV: __, ...production } = process.env;

/** Runs an application for longer than the warning takes, and gives the lines that warn. */
async function warnings(body: string, env: NodeJS.ProcessEnv = production): Promise<string[]> {
  const run = await runInNode(
    `
    import 'reflect-metadata';
    import { Module } from '@nestjs/common';
    import { NestFactory } from '@nestjs/core';
    import { ClientsModule, defineClient } from './src/index.js';
    const boot = (...declared) => {
      class AppModule {}
      Module({ imports: declared.map((clients) => ClientsModule.forRoot({ clients })) })(AppModule);
      return NestFactory.createApplicationContext(AppModule, { logger: ['warn'] });
    };
    const client = (lifecycle) => defineClient({ create: () => ({}), close() {} }, lifecycle);
    const lives = () => new Promise((resolve) => setTimeout(resolve, 1_500));
    ${body}
  `,
    { env },
  );
  expect(run.code).toBe(0);
  return `${run.output}${run.errors}`.split('\n').filter((line) => line.includes('SIGTERM'));
}

describe('enableShutdownHooks() forgotten', () => {
  it.concurrent('logs one warning, however many forRoot() calls there are', async () => {
    const lines = await warnings(`await boot({ a: client() }, { b: client() }); await lives();`);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('app.enableShutdownHooks()');
  });

  it.concurrent.each([
    [
      'when it is called',
      `const app = await boot({ a: client() }); app.enableShutdownHooks(); await lives(); await app.close();`,
    ],
    [
      'when the process has a handler of its own',
      `process.on('SIGTERM', () => {}); await boot({ a: client() }); await lives();`,
    ],
    ['when nothing is declared', `await boot({}); await lives();`],
    ['when nothing is to be closed', `await boot({ a: client({ owned: false }) }); await lives();`],
    [
      'when a script has closed the application',
      `const app = await boot({ a: client() }); await app.close(); await lives();`,
    ],
    ['and keeps no script alive', `await boot({ a: client() });`],
  ])('logs no warning %s', async (_name, body) => {
    expect(await warnings(body)).toEqual([]);
  });

  it.concurrent.each([
    { NODE_ENV: 'test' },
    { VITEST: 'true' },
    { JEST_WORKER_ID: '1' },
    { AWS_LAMBDA_FUNCTION_NAME: 'f' },
  ])('logs no warning with $0', async (env) => {
    expect(await warnings(`await boot({ a: client() }); await lives();`, { ...production, ...env })).toEqual([]);
  });
});
