import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = (path: string) => `${root}dist/${path}`;

interface Report {
  /** The packages whose files were loaded, over import and require. */
  packages: string[];
  resources: string[];
  sockets: number;
}

/**
 * Runs a script in a process of its own, which must exit by itself, and tells what it has loaded and holds open.
 *
 * The package is imported by its own name, as built: `npm test` builds it first.
 */
async function load(body: string): Promise<Report> {
  const hooks = `
    import { register } from 'node:module';
    import { MessageChannel } from 'node:worker_threads';
    const { port1, port2 } = new MessageChannel();
    globalThis.urls = [];
    port1.on('message', (url) => globalThis.urls.push(url));
    port1.unref();
    const source = "let port; export function initialize(data) { port = data.port; }"
      + "export async function load(url, context, next) { port.postMessage(url); return next(url, context); }";
    register('data:text/javascript,' + encodeURIComponent(source), { data: { port: port2 }, transferList: [port2] });
  `;
  const script = `
    import 'reflect-metadata';
    import { createRequire } from 'node:module';
    import net from 'node:net';
    let sockets = 0;
    const connect = net.Socket.prototype.connect;
    net.Socket.prototype.connect = function (...args) { sockets += 1; return connect.apply(this, args); };
    const before = process.getActiveResourcesInfo().sort().join();
    ${body}
    await new Promise((resolve) => setImmediate(resolve));
    const resources = process.getActiveResourcesInfo().sort();
    const files = [...globalThis.urls, ...Object.keys(createRequire(import.meta.url).cache ?? {})];
    const names = files.map((file) => /.*node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(file)?.[1]).filter(Boolean);
    console.log(JSON.stringify({ packages: [...new Set(names)], resources: resources.join() === before ? [] : resources, sockets }));
  `;
  const { stdout } = await run(
    process.execPath,
    [`--import=data:text/javascript,${encodeURIComponent(hooks)}`, '--input-type=module', '--eval', script],
    { cwd: root, timeout: 20_000 },
  );
  return JSON.parse(stdout) as Report;
}

const OPTIONAL = /^(ioredis|redis|@redis\/.*|@aws-sdk\/.*|@smithy\/.*|@nestjs\/terminus|dynalite|js-redis-server)$/;

function expectInert({ packages, resources, sockets }: Report): void {
  expect(packages.filter((name) => OPTIONAL.test(name))).toEqual([]);
  expect(packages).toContain('@nestjs/common');
  expect(resources).toEqual([]);
  expect(sockets).toBe(0);
}

describe('importing the package', () => {
  beforeAll(() => {
    if (!existsSync(dist('index.js'))) throw new Error('dist is missing; run npm run build');
  });

  it('loads no optional package, opens nothing and lets the process exit', async () => {
    expectInert(await load(`await import('nestjs-clients');`));
  });

  it.each(['redis', 'node-redis', 'dynamodb'])('does the same from nestjs-clients/%s', async (subpath) => {
    expectInert(await load(`await import('nestjs-clients/${subpath}');`));
  });

  it('does the same once forRoot() is evaluated', async () => {
    const report = await load(`
      const { ClientsModule, defineClient } = await import('nestjs-clients');
      const { redisClient, redisCluster } = await import('nestjs-clients/redis');
      const { dynamoDBClient, dynamoDBDocumentClient } = await import('nestjs-clients/dynamodb');
      const clients = {
        redis: redisClient('redis://user:password@127.0.0.1:1'),
        sessions: redisClient({ host: '127.0.0.1', port: 1 }, { eager: true, waitUntilReady: true }),
        cluster: redisCluster({ nodes: [{ host: '127.0.0.1', port: 1 }] }),
        dynamodb: dynamoDBClient({ region: 'eu-west-1', endpoint: 'http://127.0.0.1:1' }, { scope: 'process' }),
        dynamodbDocument: dynamoDBDocumentClient(),
        custom: defineClient({ create: () => { throw new Error('built') } }),
      };
      ClientsModule.forRoot({ clients });
      ClientsModule.forRootAsync({ clients, useFactory: () => { throw new Error('called') } });
    `);
    expectInert(report);
  });

  it('does the same after an application that uses no client has started and closed', async () => {
    const report = await load(`
      const { NestFactory } = await import('@nestjs/core');
      const { Module } = await import('@nestjs/common');
      const { ClientsModule } = await import('nestjs-clients');
      const { redisClient } = await import('nestjs-clients/redis');
      const { dynamoDBClient } = await import('nestjs-clients/dynamodb');
      class AppModule {}
      const clients = { redis: redisClient('redis://127.0.0.1:1'), dynamodb: dynamoDBClient() };
      Module({ imports: [ClientsModule.forRoot({ clients })] })(AppModule);
      const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
      await app.close();
    `);
    expectInert(report);
  });

  it('leaves no asynchronous resource that Jest would report as an open handle', async () => {
    // As jest --detectOpenHandles does: what does not say that it keeps no process alive is reported.
    const script = `
      require('@nestjs/common');
      const reported = [];
      const init = (id, type, trigger, resource) => {
        if (type !== 'PROMISE' && !('hasRef' in resource && !resource.hasRef())) reported.push(type);
      };
      const hook = require('node:async_hooks').createHook({ init }).enable();
      require('nestjs-clients/redis');
      hook.disable();
      console.log(JSON.stringify(reported));
    `;
    const { stdout } = await run(process.execPath, ['--input-type=commonjs', '--eval', script], { cwd: root });

    expect(JSON.parse(stdout)).toEqual([]);
  });

  it('detects a package that is loaded, so that the tests above can fail', async () => {
    expect((await load(`await import('ioredis');`)).packages).toContain('ioredis');
    expect((await load(`await import('@aws-sdk/client-dynamodb');`)).packages).toContain('@aws-sdk/client-dynamodb');
  });
});
