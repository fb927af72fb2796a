import { Injectable } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { ProduceAcks, Producer, stringSerializers } from '@platformatic/kafka';
import { ClientRegistry, ClientsModule, InjectClient, defineClient } from '../../src/index.js';

export type EventProducer = Producer<string, string, string, string>;

export const kafka = defineClient<EventProducer>({
  kind: 'kafka',
  inject: [ConfigService],
  create: (config: ConfigService) =>
    new Producer({
      clientId: 'shop',
      bootstrapBrokers: config.getOrThrow<string>('KAFKA_BROKERS').split(','),
      serializers: stringSerializers,
      acks: ProduceAcks.ALL, // a message is acknowledged when every replica that is in sync has it
    }),
  connect: (producer) => producer.connectToBrokers(),
  check: (producer) => producer.metadata({ topics: [], forceUpdate: true }),
  close: (producer) => producer.close(),
  onConnection(producer, report) {
    const connections = new Set<object>();
    producer.on('client:broker:connect', ({ connection }) => {
      if (connections.size === 0) report('connected');
      connections.add(connection);
    });
    producer.on('client:broker:disconnect', ({ connection }) => {
      const wasLast = connections.delete(connection) && connections.size === 0;
      if (wasLast && !producer.closed) report('disconnected');
    });
  },
});

export const KafkaModule = ClientsModule.forRoot({ imports: [ConfigModule], clients: { kafka } });

@Injectable()
export class OrderEvents {
  constructor(
    private readonly clients: ClientRegistry,
    @InjectClient('kafka') private readonly producer: EventProducer,
  ) {}

  /** The producer stays open until the message is acknowledged, also if the caller does not wait for it. */
  async placed(order: string): Promise<void> {
    await this.clients.use(() => this.producer.send({ messages: [{ topic: 'orders', key: order, value: 'placed' }] }));
  }
}
