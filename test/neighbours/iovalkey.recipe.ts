import { ConfigModule, ConfigService } from '@nestjs/config';
import { Redis } from 'iovalkey';
import { ClientsModule, defineClient } from '../../src/index.js';

export const valkey = defineClient<Redis>({
  kind: 'valkey',
  inject: [ConfigService],
  create: (config: ConfigService) => new Redis(config.getOrThrow<string>('VALKEY_URL'), { lazyConnect: true }),
  connect: (client) => (client.status === 'wait' ? client.connect() : undefined),
  async check(client) {
    if (client.status !== 'ready') throw new Error(`No connection to Valkey: the client is "${client.status}"`);
    await client.ping();
  },
  async close(client) {
    if (client.status === 'ready')
      await client.quit(); // the server answers all earlier commands first
    else client.disconnect();
  },
  destroy: (client) => client.disconnect(),
  onError: (client, report) => client.on('error', report),
  onConnection(client, report) {
    let isUp = false;
    client.on('ready', () => {
      isUp = true;
      report('connected');
    });
    client.on('close', () => {
      if (isUp && client.status !== 'end') report('disconnected'); // "end": we have closed it ourselves
      isUp = false;
    });
  },
});

export const ValkeyModule = ClientsModule.forRoot({ imports: [ConfigModule], clients: { valkey } });
