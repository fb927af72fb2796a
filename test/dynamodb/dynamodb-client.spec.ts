import { Agent, createServer, type Server } from 'node:http';
import { DynamoDBClient, ListTablesCommand, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { dynamoDBClient } from '../../src/dynamodb/index.js';
import { listen } from '../../src/testing/listen.js';
import { startDynamoDBServer, type DynamoDBServer } from '../../src/testing/index.js';
import { buildClient } from '../support/build-client.js';
import { runInNode } from '../support/run-in-node.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { createCounter, expectToAnswerRequests, hit } from './counter-table.js';

let server: DynamoDBServer;
let proxy: TcpProxy;
let counter: Awaited<ReturnType<typeof createCounter>>;
let config: DynamoDBClientConfig;

beforeEach(async () => {
  server = await startDynamoDBServer();
  proxy = await startTcpProxy(server);
  counter = await createCounter(server);
  config = { ...server.clientConfig, endpoint: `http://${proxy.host}:${proxy.port}` };
});

afterEach(async () => {
  counter.close();
  await proxy.close();
  await server.close();
});

async function open(options = config) {
  const definition = dynamoDBClient(options);
  return { client: await buildClient(definition), blueprint: definition.blueprint };
}

/** An endpoint that answers every request with the same error. */
async function startFailing(type: string): Promise<Server & { endpoint: string }> {
  const endpoint = createServer((_, response) => {
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: 'no' }));
  });
  const { host, port } = await listen(endpoint);
  return Object.assign(endpoint, { endpoint: `http://${host}:${port}` });
}

function findProblem(options: unknown): string | undefined {
  return dynamoDBClient(options as DynamoDBClientConfig).blueprint.findProblem({ fromFactory: false });
}

const refusal = expect.objectContaining({ name: 'ClientsClosedError', code: 'CLIENTS_CLOSED' }) as Error;

describe('building', () => {
  it("builds the SDK's own client, without a socket", async () => {
    const definition = dynamoDBClient(config);
    const client = await buildClient(definition);

    expect(definition.kind).toBe('dynamodb');
    expect(client).toBeInstanceOf(DynamoDBClient);
    expect(client.constructor).toBe(DynamoDBClient);
    expect(proxy.accepted).toBe(0);
  });

  it('takes options from a factory; those of forRootAsync override declared ones', async () => {
    const made = await buildClient(
      dynamoDBClient({ inject: ['REGION'], useFactory: (region: string) => ({ region }) }),
      {
        dependencies: ['eu-west-1'],
      },
    );
    const overridden = await buildClient(dynamoDBClient({ region: 'eu-west-1', maxAttempts: 1 }), {
      factoryOptions: { region: 'eu-west-2' },
    });

    expect(await made.config.region()).toBe('eu-west-1');
    expect(await overridden.config.region()).toBe('eu-west-2');
    expect(await overridden.config.maxAttempts()).toBe(1);
  });

  it("leaves everything to the SDK's defaults when called without options", async () => {
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    const client = await buildClient(dynamoDBClient());

    expect(await client.config.region()).toBe('eu-central-1');
    vi.unstubAllEnvs();
  });

  it('loads no SDK when imported and declared, and leaves the process free to end after use', async () => {
    const run = await runInNode(`
      import { createRequire } from 'node:module';
      import { dynamoDBClient, dynamoDBDocumentClient } from './src/dynamodb/index.js';
      import { Redactor } from './src/redaction/redactor.js';
      const { cache } = createRequire(import.meta.url);
      const loaded = () => Object.keys(cache).filter((file) => /[/](@aws-sdk|@smithy)[/]/.test(file)).length > 0;
      const imported = loaded();
      const definition = dynamoDBClient(${JSON.stringify(config)});
      dynamoDBDocumentClient();
      definition.blueprint.findProblem({ fromFactory: false });
      const declared = loaded();
      const client = await definition.blueprint.create({ name: 'dynamodb', dependencies: [], redactor: new Redactor() });
      const built = loaded();
      await definition.blueprint.driver.check(client);
      console.log(JSON.stringify({ imported, declared, built }));
    `);

    expect(run).toMatchObject({ code: 0 });
    expect(JSON.parse(run.output)).toEqual({ imported: false, declared: false, built: true });
  });
});

describe('close', () => {
  it('answers the requests in flight, each of them sent once', async () => {
    const { client, blueprint } = await open();
    const send = () => client.send(hit());
    await expectToAnswerRequests(counter, proxy, send, () => blueprint.driver.close?.(client));
  });

  it('drains slow requests, also those that wait for a socket', async () => {
    const { client, blueprint } = await open();
    proxy.delay(50);
    const requests = Array.from({ length: 120 }, () => client.send(hit()));

    await blueprint.driver.close?.(client);

    await expect(Promise.all(requests)).resolves.toHaveLength(120);
    expect(await counter.hits()).toBe(120);
  });

  it('leaves no socket open', async () => {
    const { client, blueprint } = await open();
    await client.send(hit());
    expect(proxy.connections).toBe(1);

    await blueprint.driver.close?.(client);
    await proxy.disconnected();
  });

  it('refuses a later call without opening a socket', async () => {
    const { client, blueprint } = await open();
    await client.send(hit());

    const closed = blueprint.driver.close?.(client);
    await expect(client.send(hit())).rejects.toEqual(refusal);
    await closed;
    await expect(client.send(hit())).rejects.toEqual(refusal);

    expect(proxy.accepted).toBe(1);
    expect(await counter.hits()).toBe(1);
  });

  it('closes a client that was never used, and one that is closed', async () => {
    const { client, blueprint } = await open();

    await blueprint.driver.close?.(client);
    await blueprint.driver.close?.(client);
    await blueprint.driver.destroy?.(client);

    expect(proxy.accepted).toBe(0);
  });

  it('ends after requests that failed', async () => {
    const { client, blueprint } = await open({ ...config, maxAttempts: 1 });
    proxy.freeze();
    const request = client.send(hit()).catch((error: unknown) => error);
    await proxy.connected(1);

    const closed = blueprint.driver.close?.(client);
    proxy.cut();

    await closed;
    expect(await request).toBeInstanceOf(Error);
  });
});

describe('destroy', () => {
  it('ends requests in flight at once, waiting ones too, and sends none again', async () => {
    const { client, blueprint } = await open();
    proxy.holdReplies();
    const requests = Array.from({ length: 120 }, () => client.send(hit()));
    const outcomes = Promise.allSettled(requests);
    await vi.waitFor(async () => expect(await counter.hits()).toBe(50)); // the sockets of the SDK's agent

    const closed = blueprint.driver.close?.(client);
    await blueprint.driver.destroy?.(client);

    expect(await outcomes).toEqual(requests.map(() => ({ status: 'rejected', reason: refusal })));
    await closed;
    await proxy.disconnected();
    expect(await counter.hits()).toBe(50);
    await expect(client.send(hit())).rejects.toEqual(refusal);
  });

  it('ends a connection to an endpoint that is frozen', async () => {
    const { client, blueprint } = await open();
    proxy.freeze();
    const request = client.send(hit()).catch((error: unknown) => error);
    await proxy.connected(1);

    await blueprint.driver.destroy?.(client);

    expect(await request).toEqual(refusal);
    await proxy.disconnected();
    expect(await counter.hits()).toBe(0);
  });
});

describe('a request handler of the caller', () => {
  it.each<[string, () => DynamoDBClientConfig['requestHandler']]>([
    ['as an instance', () => new NodeHttpHandler()],
    ['as options with an agent', () => ({ httpAgent: new Agent({ keepAlive: true }) })],
  ])('is drained and not destroyed when given %s', async (_, makeHandler) => {
    const requestHandler = makeHandler()!;
    const { client, blueprint } = await open({ ...config, requestHandler });
    const other = new DynamoDBClient({ ...config, requestHandler });
    await client.send(hit());
    proxy.holdReplies();
    const request = other.send(hit());
    await vi.waitFor(async () => expect(await counter.hits()).toBe(2));

    await blueprint.driver.close?.(client);
    await blueprint.driver.destroy?.(client);
    proxy.thaw();

    await expect(request).resolves.toMatchObject({ $metadata: { attempts: 1 } });
    await expect(client.send(hit())).rejects.toEqual(refusal);
    expect(await counter.hits()).toBe(2);
    other.destroy();
  });
});

describe('check', () => {
  it('passes when the endpoint answers', async () => {
    const { client, blueprint } = await open();

    await expect(blueprint.driver.check?.(client)).resolves.toBeUndefined();
  });

  it('fails while the endpoint is down, and passes again after', async () => {
    const { client, blueprint } = await open();
    await proxy.refuse();
    await expect(blueprint.driver.check?.(client)).rejects.toMatchObject({ code: 'ECONNREFUSED' });

    await proxy.accept();

    await blueprint.driver.check?.(client);
  });

  it('gives up on an endpoint that is frozen, and leaves no request behind', async () => {
    const { client, blueprint } = await open();
    proxy.freeze();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const check = Promise.resolve(blueprint.driver.check?.(client)).catch((error: unknown) => error);
    await proxy.connected(1);
    vi.advanceTimersByTime(5_000);
    vi.useRealTimers();

    expect(await check).toMatchObject({ message: 'DynamoDB did not answer within 5000 ms' });
    await proxy.disconnected();
  });

  it('is cut short by close', async () => {
    const { client, blueprint } = await open();
    proxy.freeze();
    const check = Promise.resolve(blueprint.driver.check?.(client)).catch((error: unknown) => error);
    await proxy.connected(1);

    await blueprint.driver.close?.(client);

    expect(await check).toEqual(refusal);
  });

  it('passes when the policy forbids listing tables, and fails when the credentials are not accepted', async () => {
    const forbidden = await startFailing('AccessDeniedException');
    const rejected = await startFailing('UnrecognizedClientException');
    const one = await open({ ...config, endpoint: forbidden.endpoint });
    const two = await open({ ...config, endpoint: rejected.endpoint });

    await one.blueprint.driver.check?.(one.client);
    await expect(two.blueprint.driver.check?.(two.client)).rejects.toThrow('no');

    for (const { blueprint, client } of [one, two]) await blueprint.driver.close?.(client);
    forbidden.close();
    rejected.close();
  });
});

describe('options', () => {
  it.each<[string, unknown]>([
    ['region', ''],
    ['region', 12],
    ['endpoint', 'localhost:8000'],
    ['endpoint', 's3cret host'],
    ['endpoint', 8000],
    ['credentials', 's3cret'],
    ['credentials', { accessKeyId: 's3cret' }],
    ['credentials', { accessKeyId: 's3cret', secretAccessKey: '' }],
    ['maxAttempts', 0],
    ['maxAttempts', '3'],
    ['retryMode', true],
    ['profile', ''],
    ['requestHandler', 's3cret'],
  ])('that cannot work are named: %s = $1', (key, value) => {
    const problem = findProblem({ [key]: value });

    expect(problem).toContain(`"${key}"`);
    expect(problem).not.toContain('s3cret');
  });

  it.each<[string, unknown]>([
    ['none', undefined],
    ['undefined values', { region: undefined, endpoint: undefined, credentials: undefined }],
    ['plain values', { region: 'eu-west-1', endpoint: 'http://localhost:8000', maxAttempts: 1, profile: 'dev' }],
    [
      'providers',
      { region: async () => 'eu-west-1', credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }) },
    ],
    ['an endpoint object', { endpoint: { protocol: 'http:', hostname: 'localhost', path: '/' } }],
  ])('that the SDK takes are accepted: %s', (_, options) => {
    expect(findProblem(options)).toBeUndefined();
  });

  it('that are not an object are refused', () => {
    expect(findProblem('eu-west-1')).toBe('its options are not an object');
  });

  it('from a factory are validated when the client is built', async () => {
    const definition = dynamoDBClient({ useFactory: () => ({ region: '' }) });

    expect(definition.blueprint.findProblem({ fromFactory: false })).toBeUndefined();
    await expect(buildClient(definition)).rejects.toThrow('"region"');
  });
});

it('the endpoint of these tests is the real thing', async () => {
  const { client, blueprint } = await open();

  await expect(client.send(new ListTablesCommand())).resolves.toMatchObject({ TableNames: ['counters'] });
  await blueprint.driver.close?.(client);
});
