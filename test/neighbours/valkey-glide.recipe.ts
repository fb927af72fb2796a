import { ConfigModule, ConfigService } from '@nestjs/config';
import type { GlideClient } from '@valkey/valkey-glide';
import { ClientsModule, defineClient } from '../../src/index.js';

export const glide = defineClient<GlideClient>({
  kind: 'valkey-glide',
  inject: [ConfigService],
  async create(config: ConfigService) {
    const { GlideClient } = await import('@valkey/valkey-glide'); // a native library: loaded on first injection
    const { hostname, port } = new URL(config.getOrThrow<string>('VALKEY_URL'));
    return GlideClient.createClient({
      addresses: [{ host: hostname, port: Number(port) }],
      requestTimeout: 500,
      lazyConnect: true, // otherwise createClient connects, and create must not
    });
  },
  connect: (client) => client.ping(),
  check: (client) => client.ping(),
  close: (client) => client.close(),
});

export const GlideModule = ClientsModule.forRoot({ imports: [ConfigModule], clients: { glide } });
