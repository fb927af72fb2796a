import { Controller, Get, type INestApplication } from '@nestjs/common';
import { Client, type Pool } from 'pg';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { InjectClient } from '../../src/index.js';
import { bootApp, nextEvent, recordEvents, registryOf, request } from '../support/boot-app.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { PASSWORD, describeWithPostgres, startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { configOf, expectCleanClose } from './app-of-neighbours.js';
import { PostgresModule } from './postgres.recipe.js';

const LOCK = 42;

@Controller()
class UsersController {
  readonly journal: string[] = [];

  constructor(@InjectClient('postgres') readonly pool: Pool) {}

  @Get('users')
  async users(): Promise<unknown[]> {
    return (await this.pool.query(`select 'Ada' as name`)).rows;
  }

  /** Answers when the test has let go of the lock. */
  @Get('slow')
  async slow(): Promise<unknown[]> {
    const { rows } = await this.pool.query(`select 'done' as state, pg_advisory_lock_shared(${LOCK})::text as lock`);
    this.journal.push('answered');
    return rows;
  }
}

@Controller('reports')
class ReportsController {
  constructor(@InjectClient('postgres') readonly pool: Pool) {}
}

/** The application's connections, as the server sees them. */
function countConnections(observer: Client): Promise<number> {
  return count(observer, `from pg_stat_activity where application_name = 'app'`);
}

/** The queries of the application that wait for the test's lock. */
function countWaiting(observer: Client): Promise<number> {
  return count(observer, `from pg_locks where locktype = 'advisory' and not granted`);
}

async function count(observer: Client, from: string): Promise<number> {
  const { rows } = await observer.query<{ count: number }>(`select count(*)::int ${from}`);
  return rows[0]?.count as number;
}

describeWithPostgres('a pg pool', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.close());

  const boot = async (url = server.url, logger?: RecordingLogger): Promise<INestApplication> =>
    bootApp(
      {
        imports: [configOf({ PG_URL: `${url}?application_name=app` }), PostgresModule],
        controllers: [UsersController, ReportsController],
      },
      { listen: true, ...(logger && { logger }) },
    );

  /** The test's own connection. */
  const connect = async (): Promise<Client> => {
    const client = new Client(server.url);
    await client.connect();
    onTestFinished(() => client.end());
    return client;
  };

  it('is one pool for every handler, connected after bootstrap', async () => {
    const app = await boot();
    const { pool } = app.get(UsersController);
    expect(app.get(ReportsController).pool).toBe(pool);
    expect(await registryOf(app).get('postgres')).toBe(pool);

    const response = await request(app, '/users');
    expect(await response.json()).toEqual([{ name: 'Ada' }]);
    expect(registryOf(app).status()).toMatchObject([
      { name: 'postgres', kind: 'postgres', state: 'open', consumers: ['UsersController', 'ReportsController'] },
    ]);
    expect(await registryOf(app).check('postgres')).toMatchObject({ status: 'up' });
  });

  it('finishes the query of the last request, closes once and leaves nothing open', async () => {
    const observer = await connect();
    await observer.query(`select pg_advisory_lock(${LOCK})`);
    const app = await boot();
    const { journal, pool } = app.get(UsersController);
    registryOf(app).events$.subscribe(({ type }) => journal.push(type));
    const answer = request(app, '/slow');
    await expect.poll(() => countWaiting(observer)).toBe(1);

    const closed = expectCleanClose(app, ['postgres']);
    await observer.query(`select pg_advisory_unlock(${LOCK})`);
    expect(await (await answer).json()).toMatchObject([{ state: 'done' }]);
    await closed;

    expect(journal.filter((entry) => entry !== 'connected')).toEqual(['answered', 'closing', 'closed']);
    expect(pool.totalCount).toBe(0);
    await expect.poll(() => countConnections(observer)).toBe(0);
  });

  it('reports a server that is gone without crashing, and without the password', async () => {
    const doomed = await startPostgres();
    onTestFinished(() => doomed.close());
    const logger = new RecordingLogger();
    const app = await boot(doomed.url, logger);
    const registry = registryOf(app);
    const events = recordEvents(registry);
    await request(app, '/users');

    const reported = nextEvent(registry, 'error', 'postgres');
    await doomed.kill();
    await reported;
    expect(await registry.check('postgres')).toMatchObject({ status: 'down', error: { name: 'Error' } });
    expect((await request(app, '/users')).status).toBe(500);

    await expectCleanClose(app, ['postgres']);
    const output = JSON.stringify([events, registry.status(), logger.lines]);
    expect(output).toContain('postgres');
    expect(output).not.toContain(PASSWORD);
  });

  it('publishes that its last connection is lost, and that the next query has connected again', async () => {
    const app = await boot();
    const registry = registryOf(app);
    await request(app, '/users');
    const observer = await connect();
    const lost = nextEvent(registry, 'disconnected', 'postgres');
    await observer.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'app'`);

    expect((await lost).error).toBeInstanceOf(Error);
    expect(registry.status()).toMatchObject([{ connection: 'disconnected' }]);
    const back = nextEvent(registry, 'connected', 'postgres');
    expect((await request(app, '/users')).status).toBe(200);
    await back;
    expect(registry.status()).toMatchObject([{ connection: 'connected' }]);
  });

  it('is what docs/neighbours.md shows', async () => {
    expect(await codeBlocksOf('docs/neighbours.md')).toContain(await asPublished('test/neighbours/postgres.recipe.ts'));
  });
});
