import { ConfigModule, ConfigService } from '@nestjs/config';
import { MongoClient } from 'mongodb';
import { ClientsModule, defineClient } from '../../src/index.js';

export const mongo = defineClient<MongoClient>({
  kind: 'mongodb',
  inject: [ConfigService],
  create: (config: ConfigService) =>
    new MongoClient(config.getOrThrow<string>('MONGODB_URL'), {
      serverSelectionTimeoutMS: 2_000, // how long an operation waits for a server; 30 s by default
      heartbeatFrequencyMS: 2_000, // how often a lost server is tried again; 10 s by default
    }),
  connect: (client) => client.connect(),
  check: (client) => client.db('admin').command({ ping: 1 }),
  close: (client) => client.close(),
  onConnection(client, report) {
    let isUp = false;
    client.on('topologyDescriptionChanged', ({ newDescription }) => {
      const servers = [...newDescription.servers.values()];
      const wasUp = isUp;
      isUp = servers.some(({ type }) => type !== 'Unknown');
      if (isUp && !wasUp) report('connected');
      if (wasUp && !isUp) report('disconnected', servers.find(({ error }) => error)?.error);
    });
  },
});

export const MongoModule = ClientsModule.forRoot({ imports: [ConfigModule], clients: { mongo } });
