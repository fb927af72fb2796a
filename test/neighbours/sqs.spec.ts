import { SQSClient } from '@aws-sdk/client-sqs';
import { Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { InjectClient } from '../../src/index.js';
import { startAwsServer, type AwsServer } from '../support/aws-server.js';
import { bootApp, registryOf } from '../support/boot-app.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { configOf, expectCleanClose } from './app-of-neighbours.js';
import { JobsPoller, SqsModule } from './sqs.recipe.js';

@Injectable()
class Orders {
  constructor(@InjectClient('sqs') readonly sqs: SQSClient) {}
}

@Injectable()
class Invoices {
  constructor(@InjectClient('sqs') readonly sqs: SQSClient) {}
}

describe('an SQS client', () => {
  const imports = [configOf({ AWS_REGION: 'eu-central-1' }), SqsModule];

  it('is one client of the SDK for every class, configured by ConfigService', async () => {
    const app = await bootApp({ imports, providers: [Orders, Invoices] });
    const { sqs } = app.get(Orders);

    expect(sqs).toBeInstanceOf(SQSClient);
    expect(app.get(Invoices).sqs).toBe(sqs);
    expect(await sqs.config.region()).toBe('eu-central-1');
    expect(registryOf(app).status()).toMatchObject([{ kind: 'aws', state: 'open', consumers: ['Orders', 'Invoices'] }]);
    expect(await registryOf(app).check('sqs')).toMatchObject({ status: 'up' });
  });

  it('is closed once', async () => {
    const app = await bootApp({ imports, providers: [Orders, Invoices] });
    const destroy = vi.spyOn(app.get(Orders).sqs, 'destroy');
    await expectCleanClose(app, ['sqs']);
    expect(destroy).toHaveBeenCalledOnce();
  });

  it('is neither built nor closed when nothing injects it', async () => {
    const destroy = vi.spyOn(SQSClient.prototype, 'destroy');
    onTestFinished(() => destroy.mockRestore());
    const app = await bootApp({ imports });
    expect(registryOf(app).status()).toMatchObject([{ name: 'sqs', state: 'idle', consumers: [] }]);
    await expectCleanClose(app, []);
    expect(destroy).not.toHaveBeenCalled();
  });

  it('is what docs/neighbours.md shows', async () => {
    expect(await codeBlocksOf('docs/neighbours.md')).toContain(await asPublished('test/neighbours/sqs.recipe.ts'));
  });
});

describe('a poller of SQS', () => {
  let server: AwsServer;

  beforeEach(async () => {
    server = await startAwsServer();
    const { accessKeyId, secretAccessKey } = server.clientConfig.credentials;
    vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
    vi.stubEnv('AWS_ENDPOINT_URL_SQS', server.endpoint);
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await server.close();
  });

  const bootPoller = () => {
    const config = configOf({ AWS_REGION: 'eu-central-1', JOBS_QUEUE_URL: `${server.endpoint}/1/jobs` });
    return bootApp({ imports: [config, SqsModule], providers: [JobsPoller] });
  };

  it('finishes the message at work before the client closes, and asks for no other', async () => {
    const app = await bootPoller();
    server.hold('SQS.DeleteMessage');
    await server.arrived('SQS.DeleteMessage');
    const polls = server.count('SQS.ReceiveMessage');

    const closed = expectCleanClose(app, ['sqs']);
    server.release();
    await closed;

    expect(server.count('SQS.ReceiveMessage')).toBe(polls);
    await server.disconnected();
  });

  it('ends a long poll at once, which the server has seen once', async () => {
    server.hold('SQS.ReceiveMessage');
    const app = await bootPoller();
    await server.arrived('SQS.ReceiveMessage');

    await expectCleanClose(app, ['sqs']);

    expect(server.seen).toHaveLength(1);
    await server.disconnected();
  });
});
