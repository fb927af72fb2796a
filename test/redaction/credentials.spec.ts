import { inspect } from 'node:util';
import { Injectable, type INestApplication } from '@nestjs/common';
import { describe, expect, it, onTestFinished } from 'vitest';
import { configurableClient, type ConfigurableDriver } from '../../src/definition/configurable-client.js';
import { defineClient, getClientToken, InjectClient, type ClientEvent, type ClientRegistry } from '../../src/index.js';
import { bootApp, clientsOf, moduleOf, recordEvents, registryOf, rejection, turn } from '../support/boot-app.js';
import { cyclic } from '../support/hostile-errors.js';
import { FakeClient, Journal } from '../support/journal.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { titled } from '../support/titled.js';

const CANARY = 'tweety-s3cr3t';
const URL_WITH_CANARY = `redis://app-user:${CANARY}@redis.internal:6379/0`;
/** The same password, as a URL must spell it, and as the options object holds it. */
const ENCODED = 'tw%40ety%2Fs3cr3t';
const DECODED = 'tw@ety/s3cr3t';

@Injectable()
class Consumer {
  constructor(@InjectClient('main') readonly client: FakeClient) {}
}

/** A value in every form in which somebody may come to see it. */
function forms(value: unknown): string {
  const parts = [inspect(value, { depth: 10, showHidden: true }), JSON.stringify(value) ?? ''];
  const seen = new Set<unknown>();
  for (let error = value; error instanceof Error && !seen.has(error); error = error.cause) {
    seen.add(error);
    parts.push(
      error.message,
      String(error.stack),
      JSON.stringify(error),
      inspect(error, { depth: 10, showHidden: true }),
    );
  }
  return parts.join('\n');
}

function expectClean(value: unknown, ...secrets: string[]): void {
  const text = forms(value);
  for (const secret of [CANARY, ...secrets]) expect(text).not.toContain(secret);
}

function redisCommandError(): Error {
  return Object.assign(new Error('NOAUTH HELLO must be called with the client already authenticated'), {
    command: { name: 'hello', args: ['3', 'AUTH', 'app-user', CANARY] },
  });
}

/** Errors that hold the canary somewhere, where it can be told for a credential without knowing the options. */
const tellingErrors: [string, () => unknown][] = [
  ['a URL in its message', () => new Error(`cannot reach ${URL_WITH_CANARY}`)],
  ['a URL in its message, without a user', () => new Error(`cannot reach redis://:${CANARY}@redis.internal`)],
  ['a URL in its stack', () => Object.assign(new Error('x'), { stack: `Error: x\n    at ${URL_WITH_CANARY}` })],
  ['a property called password', () => Object.assign(new Error('x'), { password: CANARY })],
  [
    'a deep property called password',
    () => Object.assign(new Error('x'), { config: { deep: [{ password: CANARY }] } }),
  ],
  [
    'a deep property called secretAccessKey',
    () => Object.assign(new Error('x'), { $metadata: { secretAccessKey: CANARY } }),
  ],
  [
    'an authorization header',
    () => Object.assign(new Error('x'), { request: { headers: { authorization: `Bearer ${CANARY}` } } }),
  ],
  ['a Map with a URL', () => Object.assign(new Error('x'), { nodes: new Map([['a', { url: URL_WITH_CANARY }]]) })],
  ['a Map with a telling key', () => Object.assign(new Error('x'), { headers: new Map([['authorization', CANARY]]) })],
  ['a symbol property with a URL', () => Object.assign(new Error('x'), { [Symbol('url')]: URL_WITH_CANARY })],
  ['a property that is a URL object', () => Object.assign(new Error('x'), { target: new URL(URL_WITH_CANARY) })],
  [
    'a getter that gives a URL',
    () => Object.defineProperty(new Error('x'), 'url', { enumerable: true, get: () => URL_WITH_CANARY }),
  ],
  ['a toJSON that gives a URL', () => Object.assign(new Error('x'), { toJSON: () => ({ url: URL_WITH_CANARY }) })],
  [
    'a function that has a password',
    () => Object.assign(new Error('x'), { retry: Object.assign(() => {}, { password: CANARY }) }),
  ],
  ['a telling key that is no name', () => Object.assign(new Error('x'), { [URL_WITH_CANARY]: true })],
  ['a cause', () => new Error('x', { cause: new Error('y', { cause: new Error(`at ${URL_WITH_CANARY}`) }) })],
  ['a cause that is a string', () => new Error('x', { cause: URL_WITH_CANARY })],
  ['a cause that is an object', () => new Error('x', { cause: { url: URL_WITH_CANARY } })],
  ['aggregated errors', () => new AggregateError([new Error('x'), new Error(`at ${URL_WITH_CANARY}`)], 'all failed')],
  ['aggregated errors and no message', () => new AggregateError([new Error(`at ${URL_WITH_CANARY}`)])],
  ['an ioredis command', redisCommandError],
  ['a URL in its name', () => Object.assign(new Error('x'), { name: URL_WITH_CANARY })],
  ['a URL in its code', () => Object.assign(new Error('x'), { code: URL_WITH_CANARY })],
  ['the input of an invalid URL', () => caught(() => new URL(`redis://app-user:${CANARY}@host:port`))],
  ['the input of an invalid URL with a slash', () => caught(() => new URL(`redis://:a/${CANARY}@host`))],
  ['a password with a question mark', () => new Error(`cannot reach redis://:a?${CANARY}@host`)],
  ['a password with a number sign', () => new Error(`cannot reach redis://:a#${CANARY}@host`)],
  ['a password with an at sign', () => new Error(`cannot reach redis://u:a@${CANARY}@host`)],
  ['itself as its cause', () => cyclic(new Error(`at ${URL_WITH_CANARY}`))],
  ['a query', () => new Error(`POST /login?user=app&password=${CANARY}&x=1`)],
  ['JSON in its message', () => new Error(`refused {"user":"app","password":"${CANARY} and more","x":1}`)],
  ['JSON in JSON', () => new Error(JSON.stringify({ body: JSON.stringify({ apiKey: CANARY }) }))],
  ['inspected options in its message', () => new Error(`refused ${inspect({ user: 'app', password: CANARY })}`)],
  ['a header in its message', () => new Error(`refused Authorization: Bearer ${CANARY}`)],
  ['a basic header in its message', () => new Error(`refused authorization: basic ${CANARY}`)],
  ['a signed header in its message', () => new Error(`expected\nx-amz-security-token:${CANARY}\nhost`)],
  ['JSON with escapes', () => new Error(`refused ${JSON.stringify({ password: `a"b\\c${CANARY}` })}`)],
  ['a scheme of its own', () => new Error(`refused Authorization:  ApiKey ${CANARY}`)],
  ['a connection string with spaces', () => new Error(`Server=db; Password  = ${CANARY}; x`)],
  ['raw headers', () => Object.assign(new Error('x'), { headers: ['authorization', `Bearer ${CANARY}`] })],
  ['a URL whose password has a space', () => new Error(`cannot reach amqp://app:correct ${CANARY}@mq`)],
  ['a URL whose password has an apostrophe', () => new Error(`cannot reach postgres://app:it's${CANARY}@db/x`)],
  ['a URL in a query', () => new Error(`GET /?to=${encodeURIComponent(URL_WITH_CANARY)}`)],
  ['an abbreviated name', () => new Error(`refused {"pass":"${CANARY}"}`)],
  ['an account key', () => new Error(`AccountName=app;AccountKey=${CANARY}==;EndpointSuffix=x`)],
  ['a signed URL', () => new Error(`GET https://blob/x?se=1&sig=${CANARY}%3D&X-Amz-Signature=${CANARY}`)],
  ['a cookie header', () => new Error(`refused Cookie: theme=dark; id=${CANARY}`)],
  ['a property called cookie', () => Object.assign(new Error('x'), { headers: { cookie: `id=${CANARY}` } })],
  ['raw headers of a scheme of their own', () => Object.assign(new Error('x'), { raw: ['Authorization', CANARY] })],
  ['a Redis command', () => new Error(`unexpected reply to AUTH app ${CANARY}`)],
  ['a list of arguments', () => Object.assign(new Error('x'), { sent: ['HELLO', '3', 'AUTH', 'app', CANARY] })],
  ['a key in PEM', () => new Error(`bad key -----BEGIN KEY-----\n${CANARY}${CANARY}\n-----END KEY-----`)],
  ['a symbol', () => Object.assign(new Error('x'), { state: Symbol(URL_WITH_CANARY) })],
  ['its own toString', () => Object.assign(new Error('x'), { toString: () => URL_WITH_CANARY })],
  ['a thrown string', () => `cannot reach ${URL_WITH_CANARY}`],
  ['a thrown object', () => ({ message: URL_WITH_CANARY, password: CANARY })],
];

function caught(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

interface Observed {
  app: INestApplication;
  registry: ClientRegistry;
  events: ClientEvent[];
  logger: RecordingLogger;
}

async function observe(clients: Parameters<typeof clientsOf>[0]): Promise<Observed> {
  const logger = new RecordingLogger();
  const app = await bootApp({ imports: [clientsOf(clients)] }, { logger });
  onTestFinished(() => app.useLogger(false));
  const registry = registryOf(app);
  return { app, registry, events: recordEvents(registry), logger };
}

function expectAllClean({ registry, events, logger }: Observed, ...secrets: string[]): void {
  for (const event of events) {
    expectClean(event, ...secrets);
    if ('error' in event) expectClean(event.error, ...secrets);
  }
  expectClean(registry.status(), ...secrets);
  expectClean(logger.lines, ...secrets);
}

describe('a credential', () => {
  describe.each(tellingErrors)('in an error that holds it in %s', (_, make) => {
    it('does not get out when create() throws it', async () => {
      const create = () => {
        throw make();
      };
      const observed = await observe({ main: new Journal().client('main', { create }) });
      const error = await rejection(observed.registry.get('main'));
      expect(error.code).toBe('CLIENTS_CREATE_FAILED');
      expectClean(error);
      expectAllClean(observed);
    });

    it('does not get out when the client reports it', async () => {
      let report: ((error: unknown) => void) | undefined;
      const onError = (_client: FakeClient, given: (error: unknown) => void) => void (report = given);
      const observed = await observe({ main: new Journal().client('main', { onError }) });
      await observed.registry.get('main');
      report?.(make());
      expect(observed.events.at(-1)?.type).toBe('error');
      expectAllClean(observed);
    });

    it('does not get out when connect(), check(), close() and destroy() throw it', async () => {
      const fail = () => {
        throw make();
      };
      const main = new Journal().client('main', { connect: fail, check: fail, close: fail, destroy: fail });
      const observed = await observe({ main });
      await observed.registry.get('main');
      await turn();
      expectClean(await observed.registry.check('main'));
      expectClean(await rejection(observed.registry.close()));
      expect(observed.events.map(({ type }) => type)).toContain('closeFailed');
      expectAllClean(observed);
    });
  });

  it('does not get out when bootstrap fails over it, neither through Nest’s own log', async () => {
    const logger = new RecordingLogger();
    const create = () => {
      throw redisCommandError();
    };
    const root = { imports: [clientsOf({ main: new Journal().client('main', { create }) })], providers: [Consumer] };
    expectClean(await rejection(bootApp(root, { logger })));
    expect(logger.lines).not.toHaveLength(0);
    expectClean(logger.lines);
  });

  it('does not get out through a dependent', async () => {
    const base = new Journal().client('base', { create: () => Promise.reject(redisCommandError()) });
    const main = defineClient({ inject: [getClientToken('base')], create: () => ({}) });
    const observed = await observe({ base, main });
    expectClean(await rejection(observed.registry.get('main')));
    expectAllClean(observed);
  });
});

type SdkOptions = Record<string, unknown>;

function exporting(provider: { provide: string; useValue: unknown }) {
  return moduleOf({ providers: [provider], exports: [provider.provide] }, 'SettingsModule');
}

function sdk(
  options: SdkOptions | { useFactory: () => SdkOptions },
  driver: Partial<ConfigurableDriver<FakeClient, SdkOptions>> = {},
) {
  return configurableClient<FakeClient, SdkOptions>(
    { kind: 'fake', findProblem: () => undefined, create: () => new FakeClient('main'), ...driver },
    options,
  );
}

describe('a credential in the options', () => {
  const options: [string, SdkOptions, string][] = [
    ['password', { password: CANARY }, CANARY],
    ['sentinelPassword', { sentinelPassword: CANARY }, CANARY],
    ['redisOptions.password', { redisOptions: { password: CANARY } }, CANARY],
    ['nodes[].password', { nodes: [{ host: 'h', password: CANARY }] }, CANARY],
    [
      'credentials',
      { credentials: { accessKeyId: 'AKIACANARY', secretAccessKey: CANARY, sessionToken: 'ses-token' } },
      'ses-token',
    ],
    ['tls.key', { tls: { key: CANARY } }, CANARY],
    ['tls.passphrase', { tls: { passphrase: CANARY } }, CANARY],
    ['the headers', { headers: { Authorization: CANARY } }, CANARY],
    ['apiKey', { apiKey: CANARY }, CANARY],
    ['a Map by name', { headers: new Map([['authorization', CANARY]]) }, CANARY],
    ['a number', { password: 80_1234_5678 }, String(80_1234_5678)],
    ['a Buffer', { tls: { key: Buffer.from(CANARY) } }, CANARY],
    ['a URL', { url: URL_WITH_CANARY }, CANARY],
    ['an encoded URL', { url: `redis://u:${ENCODED}@host` }, DECODED],
    ['an encoded URL, as it stands', { url: `redis://u:${ENCODED}@host` }, ENCODED],
    ['a URL object', { url: new URL(URL_WITH_CANARY) }, CANARY],
    ['a URL whose password has a slash', { url: `redis://:a/${CANARY}@host` }, `a/${CANARY}`],
    ['the query of a URL', { url: `postgres://host/db?user=u&password=${CANARY}` }, CANARY],
  ];

  it.each(options)('in %s is struck out of errors that say it plainly', async (_, given, secret) => {
    const leak = () => {
      throw Object.assign(new Error(`rejected ${secret}`), { details: [`with ${secret}`] });
    };
    const observed = await observe({
      building: sdk(given, { create: leak }),
      fromFactory: sdk({ useFactory: () => given }, { create: leak }),
      main: sdk(given, { connect: leak, check: leak, close: leak, destroy: leak }),
    });
    const { registry } = observed;
    expectClean(await rejection(registry.get('building')), secret);
    expectClean(await rejection(registry.get('fromFactory')), secret);
    await registry.get('main');
    await turn();
    expectClean(await registry.check('main'), secret);
    expectClean(await rejection(registry.close()), secret);
    expectAllClean(observed, secret);
  });

  it.each([
    ['an object', { password: CANARY }],
    ['a list', [{ db: { accessKey: CANARY } }]],
    ['a URL', URL_WITH_CANARY],
    ['a URL object', new URL(URL_WITH_CANARY)],
  ])('that is injected as %s is struck out of what create() says', async (_, value) => {
    const settings = { provide: 'SETTINGS', useValue: value };
    const create = () => {
      throw new Error(`cannot log in with ${CANARY}`);
    };
    const imports = [
      clientsOf({ main: defineClient({ inject: ['SETTINGS'], create }) }, { imports: [exporting(settings)] }),
    ];
    const registry = registryOf(await bootApp({ imports }));
    expectClean(await rejection(registry.get('main')));
    expectClean(registry.status());
  });

  it('is struck out of what findProblem() says, should it repeat a value', async () => {
    const observed = await observe({
      main: sdk({ useFactory: () => ({ password: CANARY }) }, { findProblem: () => `"password" is ${CANARY}` }),
    });
    expectClean(await rejection(observed.registry.get('main')));
    expectAllClean(observed);
  });
});

describe('an error without credentials', () => {
  class DriverError extends Error {
    readonly code = 'EDRIVER';
    readonly attempts = [{ host: 'redis.internal', port: 6379, authorized: false, hasCredentials: true }];
    override readonly name = 'DriverError';
  }

  const harmless: [string, () => Error][] = [
    ['a plain error', () => new Error('connect ECONNREFUSED 127.0.0.1:6379')],
    ['an error of the SDK’s own class, with properties', () => new DriverError('no luck')],
    ['an aggregate', () => new AggregateError([new Error('connect ECONNREFUSED ::1:6379')])],
    ['an error with a URL without credentials', () => new Error('cannot reach redis://redis.internal:6379/0')],
    [
      'an error that speaks of a password',
      () => new Error('WRONGPASS invalid username-password pair or disabled user'),
    ],
    ['an error that speaks of a token', () => new Error('The security token included in the request is invalid')],
    ['an error named after a token', () => new Error('InvalidToken: The provided token is malformed')],
    ['an error of a validator', () => new Error('password: expected string, received undefined')],
    ['an error that could not read a token', () => new Error('Cannot read token: ENOENT')],
    ['an error of a login', () => new Error('password authentication failed for user "app"; Basic authentication')],
    ['an error with a mail address', () => new Error('mail ops@example.com')],
    ['an error with an import path', () => new Error('cannot find file:///app/node_modules/@scope/pkg/index.js')],
    ['a frozen error', () => Object.freeze(new Error('frozen'))],
    [
      'an error with a null prototype inside',
      () => Object.assign(new Error('x'), { info: Object.create(null) as object }),
    ],
  ];

  it.each(harmless)('stays itself as the cause, and in events: %s', async (_, make) => {
    const cause = make();
    let report: ((error: unknown) => void) | undefined;
    const observed = await observe({
      failing: new Journal().client('failing', { create: () => Promise.reject(cause) }),
      main: new Journal().client('main', { onError: (_client, given) => (report = given) }),
    });
    expect((await rejection(observed.registry.get('failing'))).cause).toBe(cause);
    await observed.registry.get('main');
    report?.(cause);
    const last = observed.events.at(-1);
    expect(last?.type === 'error' && last.error).toBe(cause);
  });

  it('is described by its parts if its message is empty', async () => {
    const cause = new AggregateError([
      new Error('connect ECONNREFUSED ::1:6379'),
      new Error('connect ECONNREFUSED 127.0.0.1:6379'),
    ]);
    const observed = await observe({ main: new Journal().client('main', { create: () => Promise.reject(cause) }) });
    expect((await rejection(observed.registry.get('main'))).message).toMatch(/::1:6379.*127\.0\.0\.1:6379/);
  });
});

describe('what is thrown and is not an Error', () => {
  it.each(
    titled<[unknown, string, string | undefined]>([
      [{ code: 'E_PLAIN', message: 'no luck' }, 'no luck', 'E_PLAIN'],
      [{ code: 'E_PLAIN' }, 'an object was thrown that is no Error', 'E_PLAIN'],
      [7, '7 was thrown, which is no Error', undefined],
      [undefined, 'undefined was thrown, which is no Error', undefined],
      [Symbol('no luck'), 'Symbol(no luck) was thrown, which is no Error', undefined],
      ['no luck', 'no luck', undefined],
    ]),
  )('is described by the cause: %s', async (_, thrown, message, code) => {
    const create = () => {
      throw thrown; // eslint-disable-line no-throw-literal
    };
    const observed = await observe({ main: new Journal().client('main', { create }) });
    const error = await rejection(observed.registry.get('main'));
    expect(error.message).toContain(message);
    expect(error.cause).toMatchObject({ message, ...(code && { code }) });
  });
});

describe('a copy of an error', () => {
  it('keeps name, code, stack and cause', async () => {
    const original = Object.assign(new TypeError('x', { cause: new Error('deep') }), { code: 'EX', password: CANARY });
    const observed = await observe({ main: new Journal().client('main', { create: () => Promise.reject(original) }) });
    const { cause } = await rejection(observed.registry.get('main'));
    expect(cause).not.toBe(original);
    expect(cause).toMatchObject({
      name: 'TypeError',
      message: 'x',
      code: 'EX',
      stack: original.stack,
      cause: { message: 'deep' },
    });
  });
});
