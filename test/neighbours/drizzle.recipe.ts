import { sql } from 'drizzle-orm';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { pgTable, serial, text } from 'drizzle-orm/pg-core';
import type { Pool } from 'pg';
import { ClientsModule, defineClient, getClientToken } from '../../src/index.js';

export const books = pgTable('books', { id: serial().primaryKey(), title: text().notNull() });

export type Database = NodePgDatabase<{ books: typeof books }>;

export const database = defineClient<Database>({
  kind: 'drizzle',
  inject: [getClientToken('postgres')],
  create: (pool: Pool): Database => drizzle({ client: pool, schema: { books } }),
  check: (db) => db.execute(sql`select 1`),
});

export const DatabaseModule = ClientsModule.forRoot({ clients: { database } });
