import { DynamoDBClient, PutItemCommand, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { dynamoDBClient, dynamoDBDocumentClient } from '../../src/dynamodb/index.js';
import { startAwsServer, type AwsServer } from '../support/aws-server.js';
import { bootApp, clientsOf, recordEvents, registryOf } from '../support/boot-app.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

let server: AwsServer;

beforeEach(async () => {
  server = await startAwsServer();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

const eager = { eager: true };
const put = new PutItemCommand({ TableName: 'links', Item: { id: { S: 'a' } } });

async function boot(options: DynamoDBClientConfig = server.clientConfig) {
  const app = await bootApp({ imports: [clientsOf({ dynamodb: dynamoDBClient(options, eager) })] });
  return { app, registry: registryOf(app), client: (await registryOf(app).get('dynamodb')) as DynamoDBClient };
}

describe('the health of a DynamoDB client', () => {
  it.each([
    ['throttled', 400, 'ThrottlingException'],
    ['throttled', 400, 'ProvisionedThroughputExceededException'],
    ['throttled', 400, 'RequestLimitExceeded'],
    ['throttled', 400, 'LimitExceededException'],
    ['throttled', 429, 'TooManyRequestsException'],
    ['throttled', 503, 'SlowDown'],
    ['forbidden', 400, 'AccessDeniedException'],
    ['forbidden', 403, 'AccessDenied'],
    ['unknown', 400, 'UnknownOperationException'],
    ['unknown', 501, 'NotImplemented'],
  ])('is up when the probe is %s: %i %s', async (_, status, code) => {
    server.refuse('DynamoDB.ListTables', { status, code });
    const { registry, client } = await boot();

    expect(await registry.check('dynamodb')).toMatchObject({ status: 'up' });

    await client.send(put); // and it can be used
    expect(server.count('DynamoDB.ListTables')).toBe(1);
  });

  it.each([
    [400, 'UnrecognizedClientException'],
    [400, 'InvalidSignatureException'],
    [400, 'IncompleteSignatureException'],
    [400, 'MissingAuthenticationTokenException'],
    [400, 'ExpiredTokenException'],
    [403, 'ExpiredToken'],
    [403, 'InvalidClientTokenId'],
    [403, 'SignatureDoesNotMatch'],
    [500, 'InternalServerError'],
    [503, 'ServiceUnavailable'],
    [404, 'NotFound'],
  ])('is down at once, after one probe, with the reason: %i %s', async (status, code) => {
    server.refuse('DynamoDB.ListTables', { status, code });
    const { registry } = await boot();

    expect(await registry.check('dynamodb')).toMatchObject({
      status: 'down',
      error: { name: code, message: 'refused' },
    });
    expect(server.count('DynamoDB.ListTables')).toBe(1);
  });

  it('is down at once when nothing listens, whatever the retries', async () => {
    const proxy = await startTcpProxy(server);
    await proxy.refuse();
    const { registry } = await boot({
      ...server.clientConfig,
      endpoint: `http://127.0.0.1:${proxy.port}`,
      maxAttempts: 10,
    });

    const health = await registry.check('dynamodb');

    expect(health).toMatchObject({
      status: 'down',
      error: { message: `connect ECONNREFUSED 127.0.0.1:${proxy.port}` },
    });
    await proxy.close();
  });

  it('is down with the reason when the host is unknown', async () => {
    const { registry } = await boot({ ...server.clientConfig, endpoint: 'http://dynamodb.invalid', maxAttempts: 10 });

    expect(await registry.check('dynamodb', { timeout: 10_000 })).toMatchObject({
      status: 'down',
      error: { message: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) as string },
    });
  });

  it('is down with the reason when there is no region, and when there are no credentials', async () => {
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE', 'AWS_ACCESS_KEY_ID'])
      vi.stubEnv(name, undefined);
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    const { credentials, endpoint } = server.clientConfig;
    const regionless = await boot({ credentials, endpoint });
    const anonymous = await boot({ region: 'eu-west-1', endpoint });

    expect(await regionless.registry.check('dynamodb')).toMatchObject({
      status: 'down',
      error: { message: 'Region is missing' },
    });
    expect(await anonymous.registry.check('dynamodb')).toMatchObject({
      status: 'down',
      error: { name: 'CredentialsProviderError', message: expect.stringContaining('credentials') as string },
    });
    expect(server.seen).toEqual([]);
  });

  it('is up when an idle connection has just been closed by the server', async () => {
    const proxy = await startTcpProxy(server);
    const { registry } = await boot({ ...server.clientConfig, endpoint: `http://127.0.0.1:${proxy.port}` });
    expect(await registry.check('dynamodb')).toMatchObject({ status: 'up' });

    proxy.cut();

    expect(await registry.check('dynamodb')).toMatchObject({ status: 'up' });
    await proxy.close();
  });

  it('is asked once at a time, however many ask', async () => {
    server.hold('DynamoDB.ListTables');
    const { registry } = await boot();

    const checks = Array.from({ length: 50 }, () => registry.check('dynamodb', { timeout: 50 }));
    expect(await Promise.all(checks)).toEqual(
      checks.map(() => expect.objectContaining({ status: 'down', error: expect.anything() as object }) as object),
    );
    const later = registry.check('dynamodb');
    server.release();

    expect(await later).toMatchObject({ status: 'up' });
    expect(server.count('DynamoDB.ListTables')).toBe(1);
    expect(await registry.check('dynamodb')).toMatchObject({ status: 'up' });
    expect(server.count('DynamoDB.ListTables')).toBe(2);
  });

  it.each<[string, () => Partial<DynamoDBClientConfig>]>([
    ['its own', () => ({})],
    ['of the caller', () => ({ requestHandler: new NodeHttpHandler() })],
  ])('holds up no closing while it is asked, with a handler %s', async (_, options) => {
    server.hold('DynamoDB.ListTables');
    const { app, registry } = await boot({ ...server.clientConfig, ...options() });
    const events = recordEvents(registry);
    const check = registry.check('dynamodb');
    await server.arrived('DynamoDB.ListTables');

    await app.close();

    expect(await check).toMatchObject({ status: 'down', error: { name: 'ClientsClosedError' } });
    expect(events.map(({ type }) => type)).toEqual(['closing', 'closed']);
    await server.disconnected();
  });

  it('holds up no closing while its credentials are awaited', async () => {
    const credentials = vi.fn<() => Promise<never>>(() => new Promise(() => {}));
    const { app, registry } = await boot({ ...server.clientConfig, credentials });
    const events = recordEvents(registry);
    const check = registry.check('dynamodb');
    await vi.waitFor(() => expect(credentials).toHaveBeenCalled());

    await app.close();

    expect(await check).toMatchObject({ status: 'down' });
    expect(events.map(({ type }) => type)).toEqual(['closing', 'closed']);
  });

  it('leaves other requests their retries', async () => {
    server.hold('DynamoDB.ListTables');
    server.refuse('DynamoDB.PutItem', { status: 503, code: 'ServiceUnavailable' });
    const { registry, client } = await boot();
    const check = registry.check('dynamodb');
    await server.arrived('DynamoDB.ListTables');

    await expect(client.send(put)).rejects.toMatchObject({ name: 'ServiceUnavailable' });
    server.release();

    expect(await check).toMatchObject({ status: 'up' });
    expect(server.count('DynamoDB.PutItem')).toBeGreaterThan(1);
  });

  it("may be the caller's own check, whose requests hold up no closing either", async () => {
    server.hold('DynamoDB.PutItem');
    server.refuse('DynamoDB.PutItem', { status: 503, code: 'ServiceUnavailable' });
    const check = (client: DynamoDBClient) => client.send(put);
    const clients = { dynamodb: dynamoDBClient(server.clientConfig, { ...eager, check }) };
    const app = await bootApp({ imports: [clientsOf(clients)] });
    const registry = registryOf(app);
    const first = [registry.check('dynamodb'), registry.check('dynamodb')];
    await server.arrived('DynamoDB.PutItem');
    server.release();
    expect(await Promise.all(first)).toMatchObject([
      { error: { message: 'refused' } },
      { error: { message: 'refused' } },
    ]);
    expect(server.count('DynamoDB.PutItem')).toBe(1);

    server.hold('DynamoDB.PutItem');
    const events = recordEvents(registry);
    const second = registry.check('dynamodb');
    await server.arrived('DynamoDB.PutItem', 2);
    await app.close();

    expect(await second).toMatchObject({ status: 'down' });
    expect(events.map(({ type }) => type)).toEqual(['closing', 'closed']);
    expect(server.count('DynamoDB.ListTables')).toBe(0);
  });
});

it('the health of a document client is that of its base, and holds up no closing', async () => {
  server.refuse('DynamoDB.ListTables', { status: 400, code: 'ThrottlingException' });
  const clients = { dynamodb: dynamoDBClient(server.clientConfig), documents: dynamoDBDocumentClient({}, eager) };
  const app = await bootApp({ imports: [clientsOf(clients)] });
  const registry = registryOf(app);
  expect(await registry.check('documents')).toMatchObject({ status: 'up' });
  server.hold('DynamoDB.ListTables');
  const events = recordEvents(registry);
  const check = registry.check('documents');
  await server.arrived('DynamoDB.ListTables', 2);

  await app.close();

  expect(await check).toMatchObject({ status: 'down' });
  expect(events.filter(({ type }) => type === 'closeFailed')).toEqual([]);
  await server.disconnected();
});
