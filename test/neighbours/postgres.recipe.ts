import { ConfigModule, ConfigService } from '@nestjs/config';
import { Pool } from 'pg';
import { ClientsModule, defineClient } from '../../src/index.js';

export const postgres = defineClient<Pool>({
  kind: 'postgres',
  inject: [ConfigService],
  create: (config: ConfigService) =>
    new Pool({
      connectionString: config.getOrThrow<string>('PG_URL'),
      connectionTimeoutMillis: 2_000,
      query_timeout: 4_000, // less than closeTimeout, so that a query ends before the close is forced
    }),
  connect: async (pool) => (await pool.connect()).release(),
  check: (pool) => pool.query('select 1'),
  close: (pool) => pool.end(),
  onError: (pool, report) => pool.on('error', report),
  onConnection(pool, report) {
    let isUp = false;
    pool.on('connect', () => {
      if (!isUp) report('connected');
      isUp = true;
    });
    pool.on('error', (reason) => {
      if (!isUp || pool.totalCount > 0) return; // others are still connected
      isUp = false;
      report('disconnected', reason);
    });
  },
});

export const PostgresModule = ClientsModule.forRoot({ imports: [ConfigModule], clients: { postgres } });
