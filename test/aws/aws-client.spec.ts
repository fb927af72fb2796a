import { S3, S3Client } from '@aws-sdk/client-s3';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import * as sdk from '@aws-sdk/client-sqs';
import { ListQueuesCommand, SendMessageCommand, SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import { awsClient, type AwsClientConfig } from '../../src/aws/index.js';
import {
  ClientsModule,
  type ClientDefinition,
  type ClientOptionsOf,
  type ClientsOf,
  type ClientStatus,
} from '../../src/index.js';
import { startAwsServer, type AwsServer } from '../support/aws-server.js';
import { bootApp, clientsOf, recordEvents, registryOf, rejection, thrown } from '../support/boot-app.js';
import { buildClient } from '../support/build-client.js';
import { runInNode } from '../support/run-in-node.js';
import { openClient } from './open-client.js';

let server: AwsServer;

beforeEach(async () => {
  server = await startAwsServer();
});

afterEach(() => server.close());

const loadSqs = async () => (await import('@aws-sdk/client-sqs')).SQSClient;
const missing = (message: string, code = 'ERR_MODULE_NOT_FOUND') => Object.assign(new Error(message), { code });

function findProblem(definition: ClientDefinition): string {
  return thrown(() => ClientsModule.forRoot({ clients: { queue: definition } })).message;
}

describe('awsClient()', () => {
  it("builds the SDK's own client when it is first injected, without a socket", async () => {
    const load = vi.fn<typeof loadSqs>(loadSqs);
    const app = await bootApp({ imports: [clientsOf({ sqs: awsClient(load, server.clientConfig) })] });
    const registry = registryOf(app);
    expect(load).not.toHaveBeenCalled();

    const client = await registry.get('sqs');

    expect(client).toBeInstanceOf(SQSClient);
    expect((client as object).constructor).toBe(SQSClient);
    expect(registry.status()).toMatchObject([{ kind: 'aws', state: 'open' }] satisfies Partial<ClientStatus>[]);
    expect(load).toHaveBeenCalledOnce();
    expect(server.accepted).toBe(0);
  });

  it('takes options from a factory; those of forRootAsync override declared ones', async () => {
    const made = await buildClient(
      awsClient(loadSqs, { inject: ['REGION'], useFactory: (region: string) => ({ region }) }),
      { dependencies: ['eu-west-1'] },
    );
    const overridden = await buildClient(awsClient(loadSqs, { region: 'eu-west-1', maxAttempts: 1 }), {
      factoryOptions: { region: 'eu-west-2' },
    });

    expect(await made.config.region()).toBe('eu-west-1');
    expect(await overridden.config.region()).toBe('eu-west-2');
    expect(await overridden.config.maxAttempts()).toBe(1);
  });

  it('does not change the options it is given', async () => {
    const credentials = async () => server.clientConfig.credentials;
    const options = Object.freeze({ ...server.clientConfig, credentials });
    const { client, close } = await openClient(awsClient(async () => SNSClient, options));

    await client.send(new PublishCommand({ TopicArn: 'arn:aws:sns:eu-west-1:1:topic', Message: 'a' }));

    expect(options.credentials).toBe(credentials);
    await close();
  });

  it('loads no SDK when imported and declared, and leaves the process free to end after use', async () => {
    const run = await runInNode(`
      import { createRequire } from 'node:module';
      import { awsClient } from './src/aws/index.js';
      import { Redactor } from './src/redaction/redactor.js';
      const { cache } = createRequire(import.meta.url);
      const loaded = () => Object.keys(cache).some((file) => /[/](@aws-sdk|@smithy)[/]/.test(file));
      const imported = loaded();
      const load = async () => (await import('@aws-sdk/client-sqs')).SQSClient;
      const { blueprint } = awsClient(load, ${JSON.stringify(server.clientConfig)});
      blueprint.findProblem({ fromFactory: false });
      const declared = loaded();
      const client = await blueprint.create({ name: 'sqs', dependencies: [], redactor: new Redactor() });
      const { SendMessageCommand } = await import('@aws-sdk/client-sqs');
      const QueueUrl = 'https://sqs.eu-west-1.amazonaws.com/1/jobs';
      await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'hello' })).catch(() => {});
      console.log(JSON.stringify({ imported, declared, built: loaded() }));
    `);

    expect(run).toMatchObject({ code: 0 });
    expect(JSON.parse(run.output)).toEqual({ imported: false, declared: false, built: true });
  });

  it('keeps two clients of one class apart', async () => {
    const one = await openClient(awsClient(loadSqs, server.clientConfig), 'one');
    const two = await openClient(awsClient(loadSqs, server.clientConfig), 'two');
    await one.close();

    await expect(one.client.send(new ListQueuesCommand({}))).rejects.toMatchObject({ client: 'one' });
    await two.client.send(new ListQueuesCommand({}));
    await two.close();
  });
});

describe('load', () => {
  it.each([
    ['import()', missing("Cannot find package '@aws-sdk/client-sqs' imported from /app/dist/clients.js")],
    ['a path of it', missing("Cannot find package '@aws-sdk/client-sqs/x' imported from /app/dist/clients.js")],
    [
      'require()',
      missing("Cannot find module '@aws-sdk/client-sqs'\nRequire stack:\n- /app/dist/clients.js", 'MODULE_NOT_FOUND'),
    ],
    ['a library', missing("Cannot find package '@aws-sdk/client-sqs' imported from /app/node_modules/shared/index.js")],
  ])('of a package that is not installed fails with the command that installs it: %s', async (_, error) => {
    const failed = await rejection(
      buildClient(
        awsClient(() => Promise.reject<typeof SQSClient>(error)),
        { name: 'queue' },
      ),
    );

    expect(failed).toMatchObject({ code: 'CLIENTS_MISSING_PACKAGE', packageName: '@aws-sdk/client-sqs', cause: error });
    expect(failed.message).toContain('Client "queue" needs');
    expect(failed.message).toContain('npm install @aws-sdk/client-sqs');
  });

  it.each([
    [
      'a package that the package needs',
      missing("Cannot find package 'tslib' imported from /app/node_modules/@aws-sdk/client-sqs/dist-cjs/index.js"),
    ],
    [
      'the same, required',
      missing(
        "Cannot find module 'tslib'\nRequire stack:\n- /app/node_modules/@aws-crypto/util/index.js\n- /app/main.js",
        'MODULE_NOT_FOUND',
      ),
    ],
    ['a file', missing("Cannot find module '/app/dist/queue.js' imported from /app/dist/clients.js")],
    ['something else', new Error('no')],
  ])('that fails for another reason fails with that error: %s', async (_, error) => {
    const failed = await rejection(buildClient(awsClient(() => Promise.reject<typeof SQSClient>(error))));

    expect(failed).toBe(error);
  });

  it('of a package that is really not installed fails the first use, and is tried again by the next', async () => {
    const name = '@aws-sdk/client-that-does-not-exist';
    const load = vi.fn<typeof loadSqs>(
      async () => ((await import(/* @vite-ignore */ name)) as { Client: typeof SQSClient }).Client,
    );
    const registry = registryOf(await bootApp({ imports: [clientsOf({ queue: awsClient(load) })] }));

    expect(await rejection(registry.get('queue'))).toMatchObject({
      code: 'CLIENTS_MISSING_PACKAGE',
      packageName: name,
    });
    load.mockImplementation(loadSqs);
    expect(await registry.get('queue')).toBeInstanceOf(SQSClient);
  });

  it.each<[string, unknown, RegExp]>([
    ['a module', sdk, /a module, which has SQSClient, which is no class; return the class/],
    ['undefined', undefined, /"load" returned undefined, perhaps because the class is spelt otherwise/],
    ['null', null, /"load" returned null/],
    ['a text', 'SQSClient', /"load" returned a string, which is no class/],
    ['a function', () => SQSClient, /"load" returned a function, which is no class/],
    ['a client', new SQSClient({ region: 'eu-west-1' }), /"load" returned an object, which is no class/],
    [
      'the class of a command',
      SendMessageCommand,
      /returned the class SendMessageCommand, which is not one of a client of the AWS SDK/,
    ],
    ['the class of something else', Map, /returned the class Map, which is not one of a client of the AWS SDK/],
  ])('that returns %s fails with CLIENTS_INVALID_OPTIONS, which says so', async (_, returned, message) => {
    const definition = awsClient(async () => returned as typeof SQSClient, { region: 'eu-west-1' });
    const failed = await rejection(buildClient(definition, { name: 'queue' }));

    expect(failed).toMatchObject({ code: 'CLIENTS_INVALID_OPTIONS' });
    expect(failed.message).toMatch(/^Client "queue": /);
    expect(failed.message).toMatch(message);
  });

  it('that is not a function makes forRoot fail', () => {
    for (const given of [undefined, SQSClient.name, {}]) {
      const problem = findProblem(awsClient(given as unknown as typeof loadSqs, { useFactory: () => ({}) }));
      expect(problem).toContain('the first argument of awsClient() must be a function');
    }
  });
});

describe('options', () => {
  it.each<[string, unknown]>([
    ['region', ''],
    ['region', 'eu west 1'],
    ['region', 'eu-west-1 '],
    ['region', 12],
    ['endpoint', 'localhost:4566'],
    ['endpoint', 's3cret host'],
    ['credentials', 's3cret'],
    ['credentials', { accessKeyId: 's3cret' }],
    ['maxAttempts', 0],
    ['retryMode', true],
    ['profile', ''],
    ['requestHandler', 's3cret'],
  ])('that cannot work make forRoot fail, and are named: %s = $1', (key, value) => {
    const problem = findProblem(awsClient(loadSqs, { [key]: value }));

    expect(problem).toContain('client "queue"');
    expect(problem).toContain(`"${key}"`);
    expect(problem).not.toContain('s3cret');
  });

  it('that are not an object are refused', () => {
    expect(findProblem(awsClient(loadSqs, 'eu-west-1' as unknown as SQSClientConfig))).toContain('not an object');
  });

  it.each(['eu-west-1', 'us-gov-east-1', 'local'])('accept the region %s', async (region) => {
    expect(await (await buildClient(awsClient(loadSqs, { region }))).config.region()).toBe(region);
  });
});

describe('secrets', () => {
  it.each<[string, object]>([
    [
      'in the options',
      { credentials: { accessKeyId: 'AKIASECRET1', secretAccessKey: 's3cret/key', sessionToken: 's3cretToken' } },
    ],
    [
      'from a provider',
      {
        credentials: async () => ({
          accessKeyId: 'AKIASECRET1',
          secretAccessKey: 's3cret/key',
          sessionToken: 's3cretToken',
        }),
      },
    ],
  ])('%s are struck out of what is published', async (_, options) => {
    const check = async (client: SQSClient): Promise<void> => {
      const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials();
      throw new Error(`refused: ${accessKeyId} and ${secretAccessKey} and ${sessionToken}`);
    };
    const clients = { sqs: awsClient(loadSqs, { ...server.clientConfig, ...options }, { eager: true, check }) };
    const registry = registryOf(await bootApp({ imports: [clientsOf(clients)] }));

    expect(await registry.check('sqs')).toMatchObject({
      status: 'down',
      error: { message: 'refused: *** and *** and ***' },
    });
  });
});

describe('health', () => {
  it('is up as long as the client is open, without a request', async () => {
    const app = await bootApp({
      imports: [clientsOf({ sqs: awsClient(loadSqs, server.clientConfig, { eager: true }) })],
    });
    const registry = registryOf(app);

    expect(await registry.check('sqs')).toMatchObject({ status: 'up', kind: 'aws' });
    await app.close();
    expect(await registry.check('sqs')).toMatchObject({ status: 'down' });
    expect(server.seen).toEqual([]);
  });

  it("is the result of the caller's own check, which is asked once", async () => {
    const check = (client: SQSClient) => client.send(new ListQueuesCommand({}));
    const clients = { sqs: awsClient(loadSqs, { ...server.clientConfig, maxAttempts: 10 }, { eager: true, check }) };
    const app = await bootApp({ imports: [clientsOf(clients)] });
    const registry = registryOf(app);
    expect(await registry.check('sqs')).toMatchObject({ status: 'up' });
    server.refuse('SQS.ListQueues', { status: 400, code: 'ThrottlingException' });

    expect(await registry.check('sqs')).toMatchObject({ status: 'down', error: { name: 'ThrottlingException' } });

    expect(server.count('SQS.ListQueues')).toBe(2);
    server.hold('SQS.ListQueues');
    const events = recordEvents(registry);
    const last = registry.check('sqs');
    await server.arrived('SQS.ListQueues', 3);
    await app.close();
    expect(await last).toMatchObject({ status: 'down' });
    expect(events.map(({ type }) => type)).toEqual(['closing', 'closed']);
  });

  it('makes forRoot fail if its check is not a function', () => {
    const check = 'yes' as unknown as () => void;
    expect(findProblem(awsClient(loadSqs, {}, { check }))).toContain('"check" must be a function');
  });
});

describe('types', () => {
  // `tsc --noEmit` checks what is written here; it is never run.
  const types = (_check: () => unknown) => {};
  const loadS3 = async () => (await import('@aws-sdk/client-s3')).S3Client;

  it('are inferred from the class', () => {
    const clients = {
      plain: awsClient(loadS3, { forcePathStyle: true }),
      aggregated: awsClient(async () => S3, { region: async () => 'eu-west-1' }),
      made: awsClient(loadSqs, {
        inject: [Map],
        useFactory: async (map: Map<string, string>) => ({ region: map.get('a')! }),
      }),
    };
    expectTypeOf<ClientsOf<typeof clients>>().toEqualTypeOf<{ plain: S3Client; aggregated: S3; made: SQSClient }>();
    expectTypeOf<ClientOptionsOf<typeof clients>['made']>().toEqualTypeOf<SQSClientConfig | undefined>();
    expectTypeOf<AwsClientConfig<typeof SQSClient>>().toEqualTypeOf<SQSClientConfig>();
    types(() => awsClient(loadS3, {}, { check: (client) => client.config.forcePathStyle }));
    types(() => awsClient(loadSqs, { useFactory: (config: SQSClientConfig) => config }));
    types(() => awsClient(loadSqs, { useFactory: () => (Date.now() > 0 ? { region: 'a' } : { maxAttempts: 1 }) }));
  });

  it('refuse an option that the class does not have, or that has another type there', () => {
    // @ts-expect-error a slip
    types(() => awsClient(loadSqs, { regoin: 'eu-west-1' }));
    // @ts-expect-error a slip beside an option
    types(() => awsClient(loadSqs, { region: 'eu-west-1', maxAttemps: 2 }));
    // @ts-expect-error an option of another class
    types(() => awsClient(loadSqs, { forcePathStyle: true }));
    // @ts-expect-error not a region
    types(() => awsClient(loadSqs, { region: 12 }));
    // @ts-expect-error no options
    types(() => awsClient(loadSqs, 'eu-west-1'));
    // @ts-expect-error a slip in what a factory returns
    types(() => awsClient(loadSqs, { useFactory: () => ({ regoin: 'eu-west-1' }) }));
    // @ts-expect-error a slip beside an option
    types(() => awsClient(loadSqs, { useFactory: () => ({ region: 'eu-west-1', maxAttemps: 2 }) }));
    const inPromise = async (region: string) => ({ region, maxAttemps: 2 });
    // @ts-expect-error the same in a promise
    types(() => awsClient(loadSqs, { inject: ['A'], useFactory: inPromise }));
    // @ts-expect-error not a region
    types(() => awsClient(loadSqs, { useFactory: () => ({ region: 12 }) }));
    // @ts-expect-error no class of a client
    types(() => awsClient(async () => SendMessageCommand));
    // @ts-expect-error a module
    types(() => awsClient(() => import('@aws-sdk/client-sqs')));
    // @ts-expect-error another kind of client
    types((): ClientDefinition<S3Client> => awsClient(loadSqs));
    expect(types).toBeTypeOf('function');
  });
});
