import { Controller, Get } from '@nestjs/common';
import { sql } from 'drizzle-orm';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { InjectClient } from '../../src/index.js';
import { bootApp, registryOf, request } from '../support/boot-app.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { describeWithPostgres, startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { configOf, expectCleanClose } from './app-of-neighbours.js';
import { PostgresModule } from './postgres.recipe.js';
import { books, DatabaseModule, type Database } from './drizzle.recipe.js';

@Controller('books')
class BooksController {
  constructor(
    @InjectClient('database') readonly db: Database,
    @InjectClient('postgres') readonly pool: Pool,
  ) {}

  @Get()
  all(): Promise<object[]> {
    return this.db.query.books.findMany();
  }
}

describeWithPostgres('drizzle-orm', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.close());

  it('works on the pool that is declared beside it, and closes before it', async () => {
    const logger = new RecordingLogger();
    const app = await bootApp(
      { imports: [configOf({ PG_URL: server.url }), PostgresModule, DatabaseModule], controllers: [BooksController] },
      { listen: true, logger },
    );
    const { db, pool } = app.get(BooksController);
    await db.execute(sql`create table books (id serial primary key, title text not null)`);
    await db.insert(books).values({ title: 'Emma' });

    expect(await (await request(app, '/books')).json()).toEqual([{ id: 1, title: 'Emma' }]);
    expect(await registryOf(app).check('database')).toMatchObject({ status: 'up' });
    const events = await expectCleanClose(app, ['database', 'postgres']);
    expect(events.filter(({ type }) => type === 'closed').map(({ client }) => client)).toEqual([
      'database',
      'postgres',
    ]);
    expect(pool.totalCount).toBe(0);
    expect(logger.lines.filter((line) => !line.startsWith('log: '))).toEqual([]);
  });

  it('is what docs/recipes.md shows', async () => {
    expect(await codeBlocksOf('docs/recipes.md')).toContain(await asPublished('test/neighbours/drizzle.recipe.ts'));
  });
});
