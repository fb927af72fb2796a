import { setTimeout as wait } from 'node:timers/promises';
import { DeleteMessageCommand, ReceiveMessageCommand, type Message, type SQSClient } from '@aws-sdk/client-sqs';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { ClientsModule, InjectClient } from '../../src/index.js';
import { awsClient } from '../../src/aws/index.js';

export const sqs = awsClient(async () => (await import('@aws-sdk/client-sqs')).SQSClient, {
  inject: [ConfigService],
  useFactory: (config: ConfigService) => ({ region: config.getOrThrow<string>('AWS_REGION') }),
});

export const SqsModule = ClientsModule.forRoot({ imports: [ConfigModule], clients: { sqs } });

@Injectable()
export class JobsPoller implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(JobsPoller.name);
  private readonly stopping = new AbortController();
  private readonly queue: string;
  private polling?: Promise<void>;

  constructor(
    @InjectClient('sqs') private readonly client: SQSClient,
    config: ConfigService,
  ) {
    this.queue = config.getOrThrow<string>('JOBS_QUEUE_URL');
  }

  onApplicationBootstrap(): void {
    this.polling = this.poll();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(); // ends the request that waits for messages
    await this.polling; // the current message is handled and deleted
  }

  private async poll(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const command = new ReceiveMessageCommand({
          QueueUrl: this.queue,
          WaitTimeSeconds: 20,
          MaxNumberOfMessages: 1,
        });
        const { Messages = [] } = await this.client.send(command, { abortSignal: signal });
        for (const message of Messages) await this.handle(message);
      } catch (error) {
        if (signal.aborted) return;
        this.logger.error(error);
        await wait(1_000, undefined, { ref: false });
      }
    }
  }

  private async handle({ Body, ReceiptHandle }: Message): Promise<void> {
    this.logger.log(`Doing ${Body}`);
    await this.client.send(new DeleteMessageCommand({ QueueUrl: this.queue, ReceiptHandle }));
  }
}
