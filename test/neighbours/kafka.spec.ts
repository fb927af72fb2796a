import { Injectable, type INestApplication, type OnApplicationShutdown } from '@nestjs/common';
import { Producer } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { ClientRegistry, InjectClient } from '../../src/index.js';
import { bootApp, nextEvent, registryOf, rejection, turn } from '../support/boot-app.js';
import { deferred, type Deferred } from '../support/deferred.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { startKafkaEndpoint, type KafkaEndpoint } from '../support/kafka-endpoint.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { configOf, expectCleanClose } from './app-of-neighbours.js';
import { KafkaModule, OrderEvents, type EventProducer } from './kafka.recipe.js';

@Injectable()
class Careless {
  constructor(@InjectClient('kafka') readonly kafka: EventProducer) {}
}

interface Started {
  app: INestApplication;
  registry: ClientRegistry;
  logger: RecordingLogger;
  /** Settles when every hook but that of this library has been called: clients close next. */
  hooks: Deferred<void>;
}

async function boot(broker: KafkaEndpoint): Promise<Started> {
  const started = await start(broker);
  if (started.registry.status()[0]?.connection !== 'connected') await nextEvent(started.registry, 'connected', 'kafka');
  return started;
}

async function start(broker: KafkaEndpoint): Promise<Started> {
  const hooks = deferred();
  @Injectable()
  class LastHook implements OnApplicationShutdown {
    onApplicationShutdown(): void {
      hooks.resolve();
    }
  }
  const logger = new RecordingLogger();
  const imports = [configOf({ KAFKA_BROKERS: broker.address }), KafkaModule];
  const app = await bootApp({ imports, providers: [OrderEvents, Careless, LastHook] }, { logger });
  return { app, registry: registryOf(app), logger, hooks };
}

/** Closes the application while a message is not acknowledged yet, and acknowledges it when clients would close. */
async function closeInTheMiddle({ app, hooks }: Started, broker: KafkaEndpoint): Promise<void> {
  const closed = expectCleanClose(app, ['kafka']);
  await hooks.promise;
  await turn();
  broker.acknowledge();
  await closed;
}

const quiet = ({ logger }: Started): void =>
  expect(logger.lines.filter((line) => !line.startsWith('log: '))).toEqual([]);

describe('@platformatic/kafka', () => {
  it('is connected after bootstrap, checked, and closed, with nothing left open', async () => {
    await using broker = await startKafkaEndpoint();
    const started = await boot(broker);
    const { app, registry } = started;

    expect(app.get(Careless).kafka).toBeInstanceOf(Producer);
    expect(await registry.check('kafka')).toMatchObject({ status: 'up' });
    await app.get(OrderEvents).placed('order 1');
    expect(broker.messages).toEqual(['placed']);
    await expectCleanClose(app, ['kafka']);
    await expect.poll(() => broker.connections).toBe(0);
    quiet(started);
  });

  it('connects to nothing until it is injected', async () => {
    await using broker = await startKafkaEndpoint();
    const app = await bootApp({ imports: [configOf({ KAFKA_BROKERS: broker.address }), KafkaModule] });

    expect(registryOf(app).status()).toMatchObject([{ state: 'idle' }]);
    expect(broker.connections).toBe(0);
    const connected = nextEvent(registryOf(app), 'connected', 'kafka');
    await registryOf(app).get('kafka');
    await connected;
    expect(broker.connections).toBe(1);
  });

  it('starts while there is no broker, and is connected as soon as there is one', async () => {
    await using broker = await startKafkaEndpoint();
    await broker.stop();
    const { app, registry } = await start(broker);
    const connected = nextEvent(registry, 'connected', 'kafka');
    expect(await registry.check('kafka', { timeout: 100 })).toMatchObject({ status: 'down' });

    await broker.start();
    await connected;
    expect(await registry.check('kafka')).toMatchObject({ status: 'up' });
    await expectCleanClose(app, ['kafka']);
  });

  it('has a message acknowledged before it closes, also when nobody waits for it', async () => {
    await using broker = await startKafkaEndpoint();
    const started = await boot(broker);
    broker.holdAcknowledgements();
    const sent = started.app.get(OrderEvents).placed('order 1');
    await expect.poll(() => broker.messages).toEqual(['placed']);

    await closeInTheMiddle(started, broker);
    await sent;
    quiet(started);
  });

  it('would otherwise close before a message is acknowledged', async () => {
    await using broker = await startKafkaEndpoint();
    const started = await boot(broker);
    const { kafka } = started.app.get(Careless);
    broker.holdAcknowledgements();
    const failed = rejection(kafka.send({ messages: [{ topic: 'orders', key: 'order 1', value: 'placed' }] }));
    await expect.poll(() => broker.messages).toEqual(['placed']);

    await closeInTheMiddle(started, broker);
    expect(await failed).toMatchObject({ message: 'Producing messages failed.' });
  });

  it('tells that the broker is lost, is down meanwhile, and connects again when it is next used', async () => {
    await using broker = await startKafkaEndpoint();
    const { app, registry } = await boot(broker);
    const lost = nextEvent(registry, 'disconnected', 'kafka');
    await broker.stop();
    await lost;
    expect(await registry.check('kafka', { timeout: 300 })).toMatchObject({ status: 'down' });

    await broker.start();
    const back = nextEvent(registry, 'connected', 'kafka');
    await app.get(OrderEvents).placed('order 2');
    await back;
    expect(await registry.check('kafka')).toMatchObject({ status: 'up' });
    expect(broker.messages).toEqual(['placed']);
    await expectCleanClose(app, ['kafka']);
  });

  it('is what docs/recipes.md shows', async () => {
    expect(await codeBlocksOf('docs/recipes.md')).toContain(await asPublished('test/neighbours/kafka.recipe.ts'));
  });
});
