import { setImmediate } from 'node:timers/promises';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import * as fc from 'fast-check';
import { afterAll, expect, it, vi } from 'vitest';
import {
  ClientRegistry,
  ClientsError,
  ClientsModule,
  defineClient,
  type ClientDefinition,
  type ClientsModuleOptions,
} from '../../src/index.js';
import { dynamoDBClient, dynamoDBDocumentClient } from '../../src/dynamodb/index.js';
import { redisClient, redisCluster } from '../../src/redis/index.js';
import { moduleOf } from '../support/boot-app.js';
import { openHandles, opened } from '../support/open-handles.js';
import { record } from './support/record.js';

/** Number of generated option objects, in all tests together. */
const TOTAL = 5_000;

/** Values that somebody may pass by mistake. */
const anything = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.anything({ maxDepth: 2, withBigInt: true, withDate: true, withMap: true, withSet: true }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '6379', 0, -1, 1.5, NaN, Infinity, 65_536, true, false, null, undefined, [], {}, [
      {},
    ]),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(() => {}, class {}, Symbol('s'), new Proxy({}, {}), Object.create(null), new Date()),
  },
);

/** An object with some of these keys, mostly with allowed values, sometimes with any. */
function some(keys: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Record<string, unknown>> {
  const values = Object.fromEntries(
    Object.entries(keys).map(([key, valid]) => [
      key,
      fc.oneof({ weight: 12, arbitrary: valid }, { weight: 1, arbitrary: anything }),
    ]),
  );
  return fc
    .tuple(
      fc.record(values, { requiredKeys: [] }),
      fc.dictionary(fc.string(), anything, { maxKeys: 1 }),
      fc.integer({ max: 9, min: 0 }),
    )
    .map(([own, strange, dice]) => ({ ...own, ...(dice === 0 && strange) }));
}

const or = (valid: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 9, arbitrary: valid }, { weight: 1, arbitrary: anything });
const text = fc.oneof(fc.constantFrom('localhost', '127.0.0.1', 'a', 'eu-west-1'), fc.string());
const port = fc.oneof(fc.constantFrom(1, 6_379, 65_535), fc.integer());
const flag = fc.boolean();
const count = fc.integer({ min: 0, max: 100 });
const name = fc.oneof(
  fc.constantFrom(
    'redis',
    'a',
    'A',
    '__proto__',
    'constructor',
    'toString',
    'then',
    'status',
    'client:status',
    ' ',
    '😀',
  ),
  fc.string(),
);
const url = fc.oneof(
  fc.constantFrom(
    'redis://localhost',
    'rediss://u:p@localhost:1/2',
    'redis://localhost:99999',
    'redis://',
    'http://x',
    'redis://%',
    'redis://h/x',
    'redis://h?lazyConnect=false&db=x',
  ),
  fc.string(),
);

const lifecycle = or(
  some({
    eager: fc.constant(true),
    connect: fc.constant('use'),
    waitUntilReady: fc.constant(false),
    createTimeout: fc.integer({ min: 500, max: 5_000 }),
    closeTimeout: fc.integer({ min: 1, max: 1_000 }),
    owned: fc.constant(true),
    scope: fc.constantFrom('app', 'process'),
  }),
);
const redisOptions = or(
  some({
    url,
    host: text,
    port,
    path: fc.constant('/tmp/none.sock'),
    username: text,
    password: text,
    db: count,
    sentinels: fc.array(some({ host: text, port }), { maxLength: 2 }),
    name: text,
    role: fc.constantFrom('master', 'slave'),
    tls: fc.constant({}),
    family: fc.constantFrom(4, 6),
    keyPrefix: text,
    connectTimeout: count,
    commandTimeout: count,
    maxRetriesPerRequest: fc.oneof(count, fc.constant(null)),
    enableOfflineQueue: flag,
    lazyConnect: flag,
    retryStrategy: fc.constant(() => null),
    protocol: fc.constantFrom(2, 3),
    failoverDetector: flag,
  }),
);
const clusterOptions = or(
  some({
    nodes: fc.array(fc.oneof(url, some({ host: text, port }), port), { maxLength: 3 }),
    redisOptions,
    scaleReads: fc.constantFrom('master', 'slave', 'all'),
    enableOfflineQueue: flag,
    lazyConnect: flag,
    slotsRefreshInterval: count,
    shardedSubscribers: flag,
  }),
);
const dynamoDBOptions = or(
  some({
    region: text,
    endpoint: fc.oneof(fc.constantFrom('http://localhost:1', 'https://u:p@x', 'x', 'ftp://x'), text),
    credentials: some({ accessKeyId: text, secretAccessKey: text, sessionToken: text }),
    maxAttempts: count,
    retryMode: fc.constantFrom('standard', 'adaptive', 'x'),
    requestHandler: fc.constantFrom({}, { connectionTimeout: 1 }),
    logger: fc.constant({}),
    tls: flag,
  }),
);
const documentOptions = or(
  some({
    from: fc.constantFrom('dynamodb', 'redis', 'nobody'),
    marshallOptions: some({ removeUndefinedValues: flag }),
    unmarshallOptions: some({ wrapNumbers: flag }),
  }),
);
const driver = or(
  some({
    create: fc.constantFrom(
      () => ({}),
      () => undefined,
      () => Promise.reject(new Error('no')),
      () => {
        throw new Error('no');
      },
      () => 1,
    ),
    inject: fc.array(fc.constantFrom('NOBODY', Symbol('t'), undefined), { maxLength: 1 }),
    connect: fc.constant(() => {}),
    check: fc.constant(() => {}),
    close: fc.constantFrom<(() => unknown)[]>(
      () => {},
      () => Promise.reject(new Error('no')),
    ),
    destroy: fc.constant(() => {}),
    onError: fc.constant(() => {}),
    kind: text,
  }),
);
const factory = (options: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  options.map((value) => ({ useFactory: () => value }));

type Define = (options: unknown, lifecycle: unknown) => ClientDefinition;
const KINDS: readonly [Define, fc.Arbitrary<unknown>][] = [
  [redisClient as Define, redisOptions],
  [redisCluster as Define, clusterOptions],
  [dynamoDBClient as Define, dynamoDBOptions],
  [dynamoDBDocumentClient as Define, documentOptions],
  [defineClient as Define, driver],
];

/** A definition, or the error that the function that declares it has thrown. */
const definition = fc
  .oneof(
    ...KINDS.flatMap(([define, options]) =>
      [options, factory(options)].map((given) =>
        fc.tuple(fc.constant(define), given, fc.option(lifecycle, { nil: undefined, freq: 4 })),
      ),
    ),
  )
  .map(([define, options, given]) => attempt(() => define(options, given)));

const moduleOptions = fc.record(
  {
    clients: or(
      fc.array(fc.tuple(name, fc.oneof({ weight: 20, arbitrary: definition }, { weight: 1, arbitrary: anything })), {
        maxLength: 2,
      }),
    ),
    isGlobal: or(flag),
    imports: or(fc.constant([])),
    shutdownTimeout: or(fc.integer({ min: 1, max: 3_000 })),
    strange: anything,
  },
  { requiredKeys: ['clients'] },
);

interface Outcome {
  readonly value?: unknown;
  readonly error?: unknown;
}

function attempt(action: () => unknown): Outcome {
  try {
    return { value: action() };
  } catch (error) {
    return { error };
  }
}

const tally = { generated: 0, refused: 0, built: 0, failed: 0 };

/** Passes generated options to `forRoot` and, if they are accepted, boots, uses and closes their clients. */
async function live(outcome: Outcome): Promise<void> {
  tally.generated += 1;
  if (outcome.error !== undefined) {
    expectCode(outcome.error);
    tally.refused += 1;
    return;
  }
  const app = await NestFactory.createApplicationContext(moduleOf({ imports: [outcome.value as DynamicModule] }), {
    logger: false,
    abortOnError: false,
  }).catch(expectCode);
  if (!app) {
    tally.failed += 1;
    return;
  }
  const registry = app.get(ClientRegistry);
  for (const { name: client } of registry.status()) {
    const built = await registry.get(client).then(
      (value) => value !== undefined && value !== null,
      (error: unknown) => {
        expectCode(error);
        tally.failed += 1;
        return true;
      },
    );
    expect(built).toBe(true);
  }
  tally.built += registry.status().filter(({ state }) => state === 'open').length;
  await app.close();
  expect(registry.status().filter(({ state }) => state !== 'closed')).toEqual([]);
}

/** Expects an error of this library, or the one of Nest about a dependency of a factory that does not exist. */
function expectCode(error: unknown): undefined {
  if (error instanceof Error && error.name === 'UnknownDependenciesException') return undefined;
  expect(error).toBeInstanceOf(ClientsError);
  expect((error as ClientsError).code).toMatch(/^CLIENTS_[A-Z_]+$/);
  return undefined;
}

/** Makes options of the generated parts: lists of clients become objects, without the definitions that were refused already. */
function assemble(given: Record<string, unknown>): Record<string, unknown> {
  const { clients, strange, ...rest } = given;
  const declared = Array.isArray(clients)
    ? Object.fromEntries(
        clients
          .filter(Array.isArray)
          .map(([key, one]) => [
            key,
            typeof one === 'object' && one !== null && 'value' in one ? withoutNetwork(one.value) : one,
          ]),
      )
    : clients;
  return { clients: declared, ...rest, ...(typeof strange === 'string' && { strange }) };
}

/** Keeps clients from connecting, because anything could listen at the generated addresses. */
function withoutNetwork(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('lifecycle' in value)) return value;
  Object.assign(value, { lifecycle: { ...(value.lifecycle as object), connect: 'use', waitUntilReady: false } });
  return value;
}

const parameters = (runs: number): fc.Parameters<unknown> => ({ numRuns: runs, seed: 20_261_123, endOnFailure: false });

it('makes a working definition or an error with a code of whatever options, and leaves nothing open', async () => {
  const rejections = vi.fn<() => void>();
  const exceptions = vi.fn<() => void>();
  process.on('unhandledRejection', rejections);
  process.on('uncaughtExceptionMonitor', exceptions);
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  await setImmediate();
  const before = openHandles();

  await fc.assert(
    fc.asyncProperty(moduleOptions, async (given) => {
      await live(attempt(() => ClientsModule.forRoot(assemble(given) as unknown as ClientsModuleOptions)));
    }),
    parameters(TOTAL / 2),
  );
  const [redis, cluster, dynamodb] = [redisOptions, clusterOptions, dynamoDBOptions].map(or);
  await fc.assert(
    fc.asyncProperty(
      moduleOptions,
      or(fc.record({ redis: redis!, cluster: cluster!, dynamodb: dynamodb! }, { requiredKeys: [] })),
      async (given, returned) => {
        const use = { connect: 'use' } as const;
        const clients = {
          redis: redisClient(undefined, use),
          cluster: redisCluster(undefined, use),
          dynamodb: dynamoDBClient(undefined, use),
        };
        const options = { ...assemble(given), clients, useFactory: () => returned };
        await live(attempt(() => ClientsModule.forRootAsync(options as never)));
      },
    ),
    parameters(TOTAL / 2),
  );

  await setImmediate();
  expect(opened(before)).toEqual([]);
  expect(rejections).not.toHaveBeenCalled();
  expect(exceptions).not.toHaveBeenCalled();
  expect(tally.generated).toBe(TOTAL);
  process.off('unhandledRejection', rejections);
  process.off('uncaughtExceptionMonitor', exceptions);
  printed.mockRestore();
});

afterAll(() => {
  record(
    'options',
    `${tally.generated.toLocaleString('en')} objects: ${tally.refused.toLocaleString('en')} refused when declared, ${tally.failed.toLocaleString('en')} clients refused when built, all with a code; ${tally.built.toLocaleString('en')} clients built and closed; 0 handles, 0 rejections unhandled`,
  );
});
