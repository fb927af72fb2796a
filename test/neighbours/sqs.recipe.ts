import type { SQSClient } from '@aws-sdk/client-sqs';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { ClientsModule, defineClient } from '../../src/index.js';

export const sqs = defineClient<SQSClient>({
  kind: 'sqs',
  inject: [ConfigService],
  create: async (config: ConfigService) => {
    const { SQSClient } = await import('@aws-sdk/client-sqs'); // loaded when the client is first injected
    return new SQSClient({ region: config.getOrThrow<string>('AWS_REGION') });
  },
  close: (client) => client.destroy(),
});

export const SqsModule = ClientsModule.forRoot({ imports: [ConfigModule], clients: { sqs } });
