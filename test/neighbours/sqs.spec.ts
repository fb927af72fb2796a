import { SQSClient } from '@aws-sdk/client-sqs';
import { Injectable } from '@nestjs/common';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { InjectClient } from '../../src/index.js';
import { bootApp, registryOf } from '../support/boot-app.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { configOf, expectCleanClose } from './app-of-neighbours.js';
import { SqsModule } from './sqs.recipe.js';

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
    expect(registryOf(app).status()).toMatchObject([{ kind: 'sqs', state: 'open', consumers: ['Orders', 'Invoices'] }]);
    expect(await registryOf(app).check('sqs')).toMatchObject({ status: 'up' });
  });

  it('is destroyed once', async () => {
    const app = await bootApp({ imports, providers: [Orders, Invoices] });
    const destroy = vi.spyOn(app.get(Orders).sqs, 'destroy');
    await expectCleanClose(app, ['sqs']);
    expect(destroy).toHaveBeenCalledOnce();
  });

  it('is neither built nor destroyed when nothing injects it', async () => {
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
