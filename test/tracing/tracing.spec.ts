import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  startDynamoDBServer,
  startRedisServer,
  type DynamoDBServer,
  type RedisServer,
} from '../../src/testing/index.js';

const run = promisify(execFile);
const TRACED = ['--no-warnings', '--require', './otel.cjs'];
const ES_HOOK = '--experimental-loader=@opentelemetry/instrumentation/hook.mjs';

let redis: RedisServer;
let dynamodb: DynamoDBServer;

beforeAll(async () => {
  [redis, dynamodb] = await Promise.all([startRedisServer(), startDynamoDBServer()]);
});
afterAll(() => Promise.all([redis.close(), dynamodb.close()]));

/** Starts an application that OpenTelemetry traces, and tells the names of its spans. */
async function trace(from: 'sdk' | 'library', app: string, ...flags: string[]): Promise<{ spans: string[] }> {
  const { stdout } = await run(process.execPath, [...TRACED, ...flags, app], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: { ...process.env, REDIS_URL: redis.url, DYNAMODB: JSON.stringify(dynamodb.clientConfig), FROM: from },
    timeout: 20_000,
  });
  return JSON.parse(stdout) as { spans: string[] };
}

// The package as built, by its own name: `npm test` builds it first.
describe("OpenTelemetry's instrumentations of ioredis and the AWS SDK", () => {
  let required: { spans: string[] };

  beforeAll(async () => {
    required = await trace('sdk', 'app.cjs');
  });

  it('see clients that an application makes of what it requires, so that the tests below can fail', () => {
    expect(required.spans).toEqual(expect.arrayContaining(['get', 'set', 'DynamoDB.GetItem']));
    expect(required).toHaveProperty('same', true);
  });

  it.each([
    ['a CommonJS application', 'app.cjs', []],
    ['an application of ES modules', 'app.mjs', []],
    ['an application of ES modules with the hook for these', 'app.mjs', [ES_HOOK]],
  ])('see just as much of the clients of %s, which are instances of its own classes', async (_title, app, flags) => {
    expect(await trace('library', app, ...flags)).toEqual(required);
  });
});
