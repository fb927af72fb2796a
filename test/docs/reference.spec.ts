import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DEFAULT_LIFECYCLE } from '../../src/definition/client-lifecycle.js';
import type { ClientRegistry } from '../../src/index.js';
import { bootApp, clientsOf, registryOf } from '../support/boot-app.js';
import { Journal } from '../support/journal.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = 'docs/reference.md';

/** Types that a user meets only as what a documented function takes or gives. */
const SPEAK_FOR_THEMSELVES = new Set([
  'AwsClient',
  'AwsClientClass',
  'AwsClientConfig',
  'ClientDefinition',
  'ClientDefinitions',
  'ClientDriver',
  'ClientEvent',
  'ClientHealth',
  'ClientLifecycle',
  'ClientOptionsFactory',
  'ClientOptionsOf',
  'ClientState',
  'ClientStatus',
  'ClientsErrorCode',
  'ClientsHealthOptions',
  'ClientsModuleAsyncOptions',
  'ClientsModuleOptions',
  'DynamoDBDocumentOptions',
  'DynamoDBServer',
  'DynamoDBServerOptions',
  'HttpDrainOptions',
  'KindLifecycle',
  'NodeRedisClientOptions',
  'NodeRedisClusterOptions',
  'NodeRedisSentinelOptions',
  'RedisCredentials',
  'RedisCredentialsProvider',
  'RedisDuplicateOptions',
  'KeyedClientsSource',
  'RedisClientOptions',
  'RedisClusterOptions',
  'RedisServer',
  'RedisServerOptions',
  'TestServer',
]);

function read(file: string): Promise<string> {
  return readFile(join(ROOT, file), 'utf8');
}

const page = await read(PAGE);

/** The files of the entry points: the folders of src/ that have an index. */
async function entries(): Promise<string[]> {
  const files = (await readdir(join(ROOT, 'src'), { recursive: true })).filter((file) =>
    /^(\w[\w-]*\/)?index\.ts$/.test(file),
  );
  const { exports } = JSON.parse(await read('package.json')) as { exports: object };
  expect(files).toHaveLength(Object.keys(exports).filter((subpath) => subpath !== './package.json').length);
  return files;
}

/** The section under that heading, up to the next one. */
function section(heading: string): string {
  const [, text] = new RegExp(`^#+ ${heading}\\n(.*?)(?=^#+ |(?![^]))`, 'ms').exec(page) ?? [];
  if (text === undefined) throw new Error(`${PAGE} has no section "${heading}"`);
  return text;
}

/** The cells of each row of the tables in a text, the row of headings included. */
function rows(text: string): string[][] {
  const lines = text.match(/^\|.*\|$/gm) ?? [];
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

/** The names of what the interfaces of that name have as members, by the compiler. */
function membersOf(file: string, name: string): string[] {
  const program = ts.createProgram([join(ROOT, file)], { noLib: true, noResolve: true });
  const source = program.getSourceFile(join(ROOT, file));
  const found = source?.statements.find(
    (statement) => ts.isInterfaceDeclaration(statement) && statement.name.text === name,
  ) as ts.InterfaceDeclaration | undefined;
  return (found?.members ?? []).map((member) => member.name?.getText(source) ?? '');
}

describe(PAGE, () => {
  it('names every public export', async () => {
    const indexes = await Promise.all((await entries()).map((file) => read(`src/${file}`)));
    const names = indexes
      .flatMap((index) => [...index.matchAll(/\{([^}]*)\}/g)])
      .flatMap(([, list = '']) => list.split(','))
      .map((name) => name.replace('type ', '').trim())
      .filter((name) => name !== '');
    const documented = (name: string) => new RegExp(`\\b${name}\\b`).test(page);
    // Of the error classes one stands for all: each has a code, and those are compared below.
    const missing = names.filter((name) => !documented(name) && !/^Clients\w+Error$/.test(name));

    expect(names.length).toBeGreaterThan(40);
    expect(missing.filter((name) => !SPEAK_FOR_THEMSELVES.has(name))).toEqual([]);
  });

  it('has every error code', async () => {
    const codes = (await read('src/errors/clients.error.ts')).matchAll(/'(CLIENTS_\w+)'/g);
    const told = rows(section('Errors')).map(([cell = '']) => /^`(CLIENTS_\w+)`$/.exec(cell)?.[1]);

    expect(told.filter((code) => code !== undefined)).toEqual([...codes].map(([, code]) => code));
  });

  it.each([
    ['Options of `forRoot`', 'src/module/clients.module-options.ts', 'ClientsModuleOptions'],
    ['How a client is managed', 'src/definition/client-lifecycle.ts', 'ClientLifecycle'],
    ['A driver', 'src/definition/client-driver.ts', 'ClientDriver'],
    ['What `status\\(\\)` shows', 'src/registry/client-status.ts', 'ClientStatus'],
  ])('has every option under "%s"', (heading, file, name) => {
    const told = rows(section(heading)).map(([cell = '']) => /^`(\w+)/.exec(cell)?.[1]);

    expect(membersOf(file, name).length).toBeGreaterThan(3);
    expect(told.filter((option) => option !== undefined).toSorted()).toEqual(membersOf(file, name).toSorted());
  });

  it.each([
    ['Health', 'src/terminus/clients.health-indicator.ts', 'ClientsHealthOptions'],
    ['Testing', 'src/testing/start-redis-server.ts', 'RedisServerOptions'],
    ['Testing', 'src/testing/start-dynamodb-server.ts', 'DynamoDBServerOptions'],
    ['Keyed clients', 'src/definition/keyed-clients.ts', 'KeyedClientsSource'],
    ['Keyed clients', 'src/definition/keyed-clients.ts', 'KeyedClients'],
    ['The registry', 'src/registry/client-status.ts', 'ClientHealth'],
  ])('has under "%s" what there is in %s: %s', (heading, file, name) => {
    const members = membersOf(file, name);
    const text = section(heading);

    expect(members.length).toBeGreaterThan(1);
    expect(members.filter((member) => !new RegExp(`\\b${member}\\b`).test(text))).toEqual([]);
  });

  it('has every event', async () => {
    const types = [...(await read('src/events/client-event.ts')).matchAll(/readonly type: '(\w+)'/g)];
    const told = rows(section('Events')).map(([cell = '']) => /^`(\w+)`$/.exec(cell)?.[1]);

    expect(types).toHaveLength(10);
    expect(told.filter(Boolean)).toEqual(types.map(([, type]) => type));
  });

  it('has the defaults of the lifecycle', () => {
    const told = Object.fromEntries(
      rows(section('How a client is managed')).map(([option = '', value = '']) => [option, value]),
    );
    for (const [option, value] of Object.entries(DEFAULT_LIFECYCLE)) {
      const written = typeof value === 'number' ? `${value.toLocaleString('en')} ms` : `\`${literal(value)}\``;
      expect([option, told[`\`${option}\``]]).toEqual([option, written]);
    }
  });

  describe('on time', () => {
    const never = (): Promise<void> => new Promise(() => {});
    /** An application whose client `a` is built, and a clock that the test moves on. */
    const boot = async (client: ReturnType<Journal['client']>): Promise<ClientRegistry> => {
      const registry = registryOf(await bootApp({ imports: [clientsOf({ a: client })] }));
      await registry.get('a');
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      onTestFinished(() => void vi.useRealTimers());
      return registry;
    };

    it('states the default of shutdownTimeout that closing keeps', async () => {
      expect(rows(section('Options of `forRoot`')).find(([option]) => option === '`shutdownTimeout`')?.[1]).toBe(
        '10,000 ms',
      );
      const journal = new Journal();
      const registry = await boot(journal.client('a', { close: never }, { closeTimeout: 60_000 }));
      const closing = registry.close().catch(() => {});

      await vi.advanceTimersByTimeAsync(9_990);
      expect(journal.of('destroy')).toEqual([]);
      await vi.advanceTimersByTimeAsync(20);
      expect(journal.of('destroy')).toEqual(['destroy a']);
      await closing;
    });

    it('states the default timeout that a check keeps', async () => {
      expect(section('The registry')).toContain('default 1,000 ms');
      const registry = await boot(new Journal().client('a', { check: never }));
      const checking = registry.check('a');

      await vi.advanceTimersByTimeAsync(1_000);
      expect(await checking).toMatchObject({ status: 'down', error: { message: 'no answer within 1000 ms' } });
    });
  });
});

function literal(value: string | boolean): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
