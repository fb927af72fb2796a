import { access, readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DEFAULT_LIFECYCLE } from '../../src/definition/client-lifecycle.js';
import type { ClientRegistry } from '../../src/index.js';
import { bootApp, clientsOf, registryOf } from '../support/boot-app.js';
import { Journal } from '../support/journal.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENTRIES = [
  'index',
  'redis/index',
  'aws/index',
  'dynamodb/index',
  'terminus/index',
  'http/index',
  'opentelemetry/index',
  'testing/index',
];

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
  'RedisClientOptions',
  'RedisClusterOptions',
  'RedisServer',
  'RedisServerOptions',
  'TestServer',
]);

function read(file: string): Promise<string> {
  return readFile(join(ROOT, file), 'utf8');
}

const readme = await read('README.md');
const pages = ['README.md', ...(await readdir(join(ROOT, 'docs'))).filter(isMarkdown).map((file) => `docs/${file}`)];

function isMarkdown(file: string): boolean {
  return file.endsWith('.md');
}

/** The section under that heading, up to the next one. */
function section(heading: string): string {
  const [, text] = new RegExp(`^#+ ${heading}\\n(.*?)(?=^#+ |(?![^]))`, 'ms').exec(readme) ?? [];
  if (text === undefined) throw new Error(`README has no section "${heading}"`);
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

/** How GitHub names a heading in an address. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
}

describe('README.md', () => {
  it('names every public export', async () => {
    const indexes = await Promise.all(ENTRIES.map((entry) => read(`src/${entry}.ts`)));
    const names = indexes
      .flatMap((index) => [...index.matchAll(/\{([^}]*)\}/g)])
      .flatMap(([, list = '']) => list.split(','))
      .map((name) => name.replace('type ', '').trim())
      .filter((name) => name !== '');
    const documented = (name: string) => new RegExp(`\\b${name}\\b`).test(readme);
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
    ['Options of `forRoot`', 'src/clients.module-options.ts', 'ClientsModuleOptions'],
    ['How a client is managed', 'src/definition/client-lifecycle.ts', 'ClientLifecycle'],
    ['A driver', 'src/definition/client-driver.ts', 'ClientDriver'],
  ])('has every option under "%s"', (heading, file, name) => {
    const told = rows(section(heading)).map(([cell = '']) => /^`(\w+)/.exec(cell)?.[1]);

    expect(membersOf(file, name).length).toBeGreaterThan(3);
    expect(told.filter((option) => option !== undefined).toSorted()).toEqual(membersOf(file, name).toSorted());
  });

  it.each([
    ['Health', 'src/terminus/clients.health-indicator.ts', 'ClientsHealthOptions'],
    ['Testing', 'src/testing/start-redis-server.ts', 'RedisServerOptions'],
    ['Testing', 'src/testing/start-dynamodb-server.ts', 'DynamoDBServerOptions'],
    ['The registry', 'src/registry/client-status.ts', 'ClientStatus'],
    ['The registry', 'src/registry/client-status.ts', 'ClientHealth'],
  ])('has under "%s" what there is in %s: %s', (heading, file, name) => {
    const members = membersOf(file, name);
    const text = section(heading);

    expect(members.length).toBeGreaterThan(1);
    expect(members.filter((member) => !new RegExp(`\\b${member}\\b`).test(text))).toEqual([]);
  });

  it('has every event', async () => {
    const types = [...(await read('src/events/client-event.ts')).matchAll(/readonly type: '(\w+)'/g)];
    const told = rows(section('The registry')).map(([cell = '']) => /^`(\w+)`$/.exec(cell)?.[1]);

    expect(types).toHaveLength(9);
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

    it('gives closing as long as it says by default', async () => {
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

    it('gives a check as long as it says by default', async () => {
      expect(section('The registry')).toContain('default 1,000 ms');
      const registry = await boot(new Journal().client('a', { check: never }));
      const checking = registry.check('a');

      await vi.advanceTimersByTimeAsync(1_000);
      expect(await checking).toMatchObject({ status: 'down', error: { message: 'no answer within 1000 ms' } });
    });
  });

  it('says that the package has no dependencies and ends no process, and it has and does not', async () => {
    const { dependencies } = JSON.parse(await read('package.json')) as { dependencies?: object };
    const files = (await readdir(join(ROOT, 'src'), { recursive: true })).filter((file) => file.endsWith('.ts'));
    const sources = await Promise.all(files.map((file) => read(`src/${file}`)));

    expect(readme).toContain('no dependencies of its own');
    expect(dependencies).toBeUndefined();
    expect(readme).toContain('never calls `process.exit`');
    expect(sources.filter((source) => /process\.(exit|abort|kill)\b/.test(source))).toEqual([]);
  });
});

describe('README and guides', () => {
  it('lead to files and headings that are there', async () => {
    const broken: string[] = [];
    for (const page of pages) {
      const text = await read(page);
      for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [file = '', anchor] = target.split('#');
        const path = file === '' ? page : join(dirname(page), file);
        const there = await access(join(ROOT, path)).then(
          () => true,
          () => false,
        );
        const headings = anchor && there ? [...(await read(path)).matchAll(/^#+ (.+)$/gm)] : [];
        const found = anchor === undefined || headings.some(([, heading = '']) => anchorOf(heading) === anchor);
        if (!there || !found) broken.push(`${page}: ${target}`);
      }
    }
    expect(broken).toEqual([]);
  });
});

function literal(value: string | boolean): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
