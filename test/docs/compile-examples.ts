import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { complete, type Example } from './examples.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SUBPATHS = ['redis', 'node-redis', 'aws', 'dynamodb', 'terminus', 'http', 'opentelemetry', 'testing'];

/** What the compiler has against the examples, as `page:line: message`. An example may use what earlier ones export. */
export function problemsOf(examples: readonly Example[]): string[] {
  return check(examples).map(({ example, line, message }) => {
    const { page = '', line: first = 0 } = examples[example] ?? {};
    return `${page}:${first + line}: ${message}`;
  });
}

/** What the examples import, which takes most of the time, for all programs of a test file. */
const parsed = new Map<string, ts.SourceFile | undefined>();

interface Problem {
  readonly example: number;
  readonly line: number;
  readonly message: string;
}

function check(examples: readonly Example[]): Problem[] {
  const folder = join(ROOT, 'test/docs');
  const files = new Map(complete(examples).map((code, index) => [join(folder, `example-${index}.ts`), code]));
  const options = { ...compilerOptions(), paths: sourcePaths(), noEmit: true };
  const host = ts.createCompilerHost(options);
  const onDisk = { ...host };
  host.fileExists = (file) => files.has(file) || onDisk.fileExists(file);
  host.readFile = (file) => files.get(file) ?? onDisk.readFile(file);
  host.getSourceFile = (file, ...rest) => {
    const example = files.get(file);
    if (example !== undefined) return ts.createSourceFile(file, example, rest[0]);
    if (!parsed.has(file)) parsed.set(file, onDisk.getSourceFile(file, ...rest));
    return parsed.get(file);
  };
  const program = ts.createProgram({ rootNames: [...files.keys()], options, host });
  return [...files.keys()].flatMap((file, example) =>
    ts.getPreEmitDiagnostics(program, program.getSourceFile(file)).map(({ start = 0, messageText }) => ({
      example,
      line: (files.get(file) ?? '').slice(0, start).split('\n').length - 1,
      message: ts.flattenDiagnosticMessageText(messageText, '\n'),
    })),
  );
}

function sourcePaths(): ts.MapLike<string[]> {
  const subpaths = SUBPATHS.map((subpath) => [`nestjs-clients/${subpath}`, [join(ROOT, 'src', subpath, 'index.ts')]]);
  return Object.fromEntries([['nestjs-clients', [join(ROOT, 'src/index.ts')]], ...subpaths]) as ts.MapLike<string[]>;
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  // Readers rarely have these two, and examples need not please them.
  const readers = { verbatimModuleSyntax: false, isolatedModules: false, declaration: false, declarationMap: false };
  return ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, ...readers }, ROOT).options;
}
