import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a short example may use without importing it, as its reader would know where it comes from. */
const WELL_KNOWN: Readonly<Record<string, readonly string[]>> = {
  'nestjs-clients': ['ClientRegistry', 'ClientsModule', 'InjectClient', 'defineClient', 'getClientToken'],
  'nestjs-clients/redis': ['InjectRedis', 'REDIS_CLIENT', 'redisClient', 'redisCluster', 'redisDuplicate'],
  'nestjs-clients/dynamodb': ['InjectDynamoDB', 'dynamoDBClient', 'dynamoDBDocumentClient'],
  'nestjs-clients/terminus': ['ClientsHealthIndicator'],
  'nestjs-clients/http': ['HttpDrainModule'],
  'nestjs-clients/opentelemetry': ['ClientsTelemetry'],
  '@nestjs/common': ['Controller', 'Get', 'Inject', 'Injectable', 'Module', 'Param'],
  '@nestjs/config': ['ConfigModule', 'ConfigService'],
  '@nestjs/core': ['NestFactory'],
  '@nestjs/terminus': ['HealthCheck', 'HealthCheckService'],
  '@nestjs/testing': ['Test'],
  pg: ['Pool'],
  vitest: ['afterAll', 'afterEach', 'beforeAll', 'expect', 'it'],
};
const WELL_KNOWN_TYPES: Readonly<Record<string, readonly string[]>> = {
  'nestjs-clients': ['ClientsOf'],
  '@aws-sdk/client-dynamodb': ['DynamoDBClient'],
  ioredis: ['Redis'],
};
/** And what stands for something of the reader's own. */
const READERS_OWN: Readonly<Record<string, string>> = {
  AppModule: 'declare class AppModule {}',
  fake: 'declare const fake: object;',
};

/** Vitest takes what concerns decorators from here. */
const COMPILER_OPTIONS = { experimentalDecorators: true, emitDecoratorMetadata: true };

/** A TypeScript block of a page, as a module. */
export interface Example {
  readonly page: string;
  /** Where in the page its first line is. */
  readonly line: number;
  readonly code: string;
}

/** All blocks that are fenced as `ts`. What is fenced as `ts before` shows another library, which is not here. */
export async function examplesOf(page: string): Promise<Example[]> {
  const markdown = await readFile(join(ROOT, page), 'utf8');
  return [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(({ index, 1: code = '' }) => ({
    page,
    line: markdown.slice(0, index).split('\n').length + 1,
    code,
  }));
}

/**
 * Runs the example of a page that exports `name`, and those it builds on; returns what it exports. The package's name
 * stands for the sources here. `replace` gives other addresses to examples that have them written out.
 */
export async function runExample<T>(page: string, name: string, replace: Record<string, string> = {}): Promise<T> {
  const examples = await examplesOf(page);
  const index = examples.findIndex(({ code }) => exportsOf(code).includes(name));
  if (index === -1) throw new Error(`No example in ${page} exports ${name}`);
  return withExamples(examples, replace, async (folder) => {
    const url = pathToFileURL(join(folder, `example-${index}.ts`)).href;
    return (await import(/* @vite-ignore */ url)) as T;
  });
}

/** Has Vitest run those examples of a page that are tests; returns its exit code and report. */
export async function runTestExamples(page: string): Promise<{ code: number | null; report: string }> {
  const examples = await examplesOf(page);
  const include = examples.flatMap(({ code }, index) => (/^it\(/m.test(code) ? [`example-${index}.ts`] : []));
  return withExamples(examples, {}, async (folder) => {
    // The cache would be put into node_modules, which is the repository's own here.
    const config = { cacheDir: join(folder, 'cache'), test: { include, maxWorkers: 1 } };
    await writeFile(join(folder, 'vitest.config.mjs'), `export default ${JSON.stringify(config)};`);
    const child = spawn(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--no-color'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    const code = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: await code, report: output + errors };
  });
}

/** Writes the examples into a folder, as `example-0.ts` and so on, for as long as `work` takes; Vitest transpiles them. */
async function withExamples<T>(
  examples: readonly Example[],
  replace: Readonly<Record<string, string>>,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'doc-examples-'));
  try {
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: COMPILER_OPTIONS }));
    for (const [position, code] of complete(examples).entries()) {
      let source = code.replaceAll(/from 'nestjs-clients(?:\/([\w-]+))?'/g, (_, subpath?: string) => {
        return `from '${join(ROOT, 'src', subpath ?? '', 'index.ts')}'`;
      });
      for (const [from, to] of Object.entries(replace)) source = source.replaceAll(from, to);
      await writeFile(join(folder, `example-${position}.ts`), source);
    }
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Each example's code, after the imports that it leaves out, in the same line. */
export function complete(examples: readonly Example[]): string[] {
  return examples.map(({ page }, index) => {
    const code = link(examples, index);
    const missing = new Map<string, string>();
    const add = (name: string, statement: string): void => {
      if (mentions(code, name) && !declares(code, name)) missing.set(name, statement);
    };
    for (const [name, statement] of Object.entries(READERS_OWN)) add(name, statement);
    for (const [from, names] of Object.entries(WELL_KNOWN)) {
      for (const name of names) add(name, `import { ${name} } from '${from}';`);
    }
    for (const [from, names] of Object.entries(WELL_KNOWN_TYPES)) {
      for (const name of names) add(name, `import type { ${name} } from '${from}';`);
    }
    for (const [position, earlier] of examples.slice(0, index).entries()) {
      if (earlier.page !== page) continue;
      for (const name of exportsOf(earlier.code)) add(name, `import { ${name} } from './example-${position}.js';`);
    }
    return `export {}; ${[...missing.values()].join(' ')} ${code}`;
  });
}

/** An example's code, in which a file that the page names, as in `import { A } from './a.js'`, is an earlier example. */
function link(examples: readonly Example[], index: number): string {
  const { page, code } = examples[index] as Example;
  const exporting = (name: string) => (earlier: Example) =>
    earlier.page === page && exportsOf(earlier.code).includes(name);
  const fromFile = /^(import \{ (\w+)[^}]*\} from )'\.\/[\w.-]+\.js';/gm;
  return code.replaceAll(fromFile, (statement, start: string, name: string) => {
    const position = examples.slice(0, index).findLastIndex(exporting(name));
    return position === -1 ? statement : `${start}'./example-${position}.js';`;
  });
}

function mentions(code: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(code);
}

function declares(code: string, name: string): boolean {
  const declared = new RegExp(`\\b(?:class|const|function|type|interface|enum) ${name}\\b`);
  return declared.test(code) || [...code.matchAll(/^import [^;]*;/gm)].some(([statement]) => mentions(statement, name));
}

function exportsOf(code: string): string[] {
  return [...code.matchAll(/^export (?:abstract |async )?(?:class|const|function|type|interface) (\w+)/gm)].map(
    ([, name]) => name ?? '',
  );
}
