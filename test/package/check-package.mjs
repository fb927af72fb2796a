// Packs the package, looks at the tarball as its users' tools will, installs it into empty folders, and uses it from there
// as a stranger would: with none of the optional peers, then with each of them.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import typescript from 'typescript';
import { npm, pack, root } from './pack.mjs';

const { devDependencies, exports, peerDependenciesMeta, version } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);
const NEST = ['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs'];
const ENTRIES = Object.keys(exports).filter((entry) => entry !== './package.json');

const CASES = [
  { peers: [], script: 'none.mjs' },
  { peers: ['ioredis'], script: 'redis.mjs' },
  { peers: ['@aws-sdk/client-sqs'], script: 'aws.mjs' },
  { peers: ['redis'], script: 'node-redis.mjs' },
  { peers: ['@aws-sdk/client-dynamodb'], script: 'dynamodb.mjs' },
  { peers: ['@aws-sdk/client-dynamodb', '@aws-sdk/lib-dynamodb'], script: 'dynamodb-document.mjs' },
  { peers: ['@nestjs/terminus'], script: 'terminus.mjs' },
  { peers: ['@nestjs/platform-express'], script: 'http.mjs' },
  { peers: ['@opentelemetry/api'], script: 'opentelemetry.mjs' },
  { peers: ['ioredis'], script: 'testing-redis.mjs', missing: 'js-redis-server' },
  { peers: ['@aws-sdk/client-dynamodb'], script: 'testing-dynamodb.mjs', missing: 'dynalite' },
];

const work = mkdtempSync(join(tmpdir(), 'nestjs-clients-'));
try {
  const { path, size, unpackedSize, entryCount } = pack(work);
  console.log(`nestjs-clients ${version}: ${size} bytes packed, ${unpackedSize} unpacked, ${entryCount} files`);
  const [, told] = /packed tarball is about (\d+) kB/.exec(readFileSync(join(root, 'README.md'), 'utf8'));
  assert.ok(Math.abs(size / 1_000 - told) < 15, `README says about ${told} kB`);
  execFileSync('tar', ['xzf', path, '-C', work]);
  const unpacked = join(work, 'package');

  checkWithTools(path);
  checkReadme(unpacked);
  checkMaps(unpacked);
  checkReading(unpacked);
  checkTypes(unpacked, 'index');
  checkTypes(unpacked, 'aws/index');
  checkImports(unpacked);
  for (const { peers, script, missing } of CASES) use(path, peers, script, missing);
  npm(join(work, 'terminus'), 'install', `@opentelemetry/api@${devDependencies['@opentelemetry/api']}`);
  checkNames(join(work, 'dynamodb-document'));
  await checkSideEffects(join(work, 'terminus'));
} finally {
  rmSync(work, { recursive: true, force: true });
}

function run(program, args, options) {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
      ...options,
    });
  } catch (error) {
    console.error(error.stdout, error.stderr);
    throw error;
  }
}

/** Both end with an error if they find one. */
function checkWithTools(tarball) {
  const tool = (name) => join(root, 'node_modules/.bin', name);
  run(tool('publint'), ['run', tarball, '--strict']);
  // The one rule that is off: `require` of an ES module works from Node 20.19 on, as check-matrix.mjs proves.
  run(tool('attw'), [tarball, '--profile', 'strict', '--ignore-rules', 'cjs-resolves-to-esm', '--no-color']);
  console.log('publint and attw find nothing');
}

/** The page on npm knows no other files: each link is absolute, and what it names of this version is in the tarball. */
function checkReadme(unpacked) {
  const readme = readFileSync(join(unpacked, 'README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)/gm)].map(
    ([, inline, reference]) => inline ?? reference,
  );
  assert.deepEqual(
    links.filter((link) => !/^(https:|#)/.test(link)),
    [],
    'links of the README that break on npm',
  );
  const own = links.flatMap((link) => /^https:\/\/unpkg\.com\/nestjs-clients@[^/]+\/([^#]+)/.exec(link)?.[1] ?? []);
  assert.ok(own.length > 20);
  for (const file of own) assert.ok(existsSync(join(unpacked, file)), `the README links to ${file}`);
  console.log(`${links.length} links of the README are absolute; ${own.length} lead to files of the tarball`);
}

/** Debuggers and "go to definition" end up in the TypeScript sources, which are in the tarball. */
function checkMaps(unpacked) {
  const files = readdirSync(join(unpacked, 'dist'), { recursive: true }).map((file) => join(unpacked, 'dist', file));
  const code = files.filter((file) => /\.(js|d\.ts)$/.test(file));
  for (const file of code) {
    const text = readFileSync(file, 'utf8');
    const map = /^\/\/# sourceMappingURL=(.+)$/m.exec(text)?.[1];
    if (!map && /^(import|export) \{[^;]*;\s*(export \{[^;]*;\s*)?$/.test(text)) continue; // nothing of its own to map
    assert.ok(map, `${file} names no map`);
    const { sources, sourceRoot = '' } = JSON.parse(readFileSync(join(dirname(file), map), 'utf8'));
    for (const source of sources) {
      const target = join(dirname(file), sourceRoot, source);
      assert.ok(target.startsWith(unpacked) && existsSync(target), `${file} leads to ${source}, which is not there`);
    }
  }
  console.log(`${code.length} source and declaration maps lead to sources in the tarball`);
}

/**
 * What V8 does to every file that is imported must cost little. A character above ASCII makes it keep and read the whole file at
 * two bytes a character. On regular expressions see secret-index.ts.
 */
function checkReading(unpacked) {
  const files = readdirSync(join(unpacked, 'dist'), { recursive: true, encoding: 'utf8' });
  const code = files.filter((file) => file.endsWith('.js'));
  for (const file of code) {
    const text = readFileSync(join(unpacked, 'dist', file), 'utf8');
    assert.doesNotMatch(
      text,
      /[\u{80}-\u{10ffff}]/u,
      `${file} has a character above ASCII; write it in src as a \\u escape`,
    );
    assert.doesNotMatch(
      text,
      /\/[gimsy]*[uv][gimsy]*\b[;,.)]/,
      `${file} has a literal regular expression in Unicode mode`,
    );
  }
  console.log(`${code.length} files are ASCII, without regular expressions that are slow to compile`);
}

/** Whoever uses the core, or clients of any AWS service, must not need the types of a package that is not installed. */
function checkTypes(unpacked, entry) {
  const seen = new Set([join(unpacked, `dist/${entry}.d.ts`)]);
  const packages = new Set();
  for (const file of seen) {
    const code = readFileSync(file, 'utf8').replaceAll(/\/\*[^]*?\*\//g, ''); // examples in comments need nothing
    for (const [, name] of code.matchAll(/(?:from|import\()\s*['"]([^'"]+)['"]/g)) {
      if (name.startsWith('.')) seen.add(join(dirname(file), name.replace(/\.js$/, '.d.ts')));
      else packages.add(name);
    }
  }
  const optional = (name) => Object.hasOwn(peerDependenciesMeta, name) || /^@(aws-sdk|smithy)\//.test(name);
  assert.deepEqual([...packages].filter(optional), [], `optional packages in the types of ${entry}`);
  console.log(`the types of ${entry} need ${[...packages].join(', ')}`);
}

/** Bundlers go on without an optional package only if it is imported in a `try`. */
function checkImports(unpacked) {
  for (const entry of ['index', 'shared', 'redis/index', 'dynamodb/index']) {
    const text = readFileSync(join(unpacked, `dist/${entry}.js`), 'utf8');
    const [all, guarded] = [/\bimport\("[^.]/g, /\btry \{\s*return await import\("[^.]/g].map(
      (form) => text.match(form) ?? [],
    );
    assert.equal(guarded.length, all.length, `${entry}.js imports an optional package outside of a try`);
  }
}

/** What an entry exports at run time is what its declarations export, and no more. */
function checkNames(folder) {
  for (const entry of ENTRIES.filter((name) => !['./terminus', './opentelemetry'].includes(name))) {
    const name = entry.replace('.', 'nestjs-clients');
    const declarations = join(folder, 'node_modules/nestjs-clients', exports[entry].types);
    const program = typescript.createProgram([declarations], { module: typescript.ModuleKind.NodeNext });
    const checker = program.getTypeChecker();
    const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(declarations)));
    const isValue = (symbol) =>
      !symbol.declarations.some((declaration) => typescript.isTypeOnlyExportDeclaration(declaration)) &&
      checker.getAliasedSymbol(symbol).flags & typescript.SymbolFlags.Value;
    const declared = symbols.filter(isValue).map((symbol) => symbol.name);
    const script = `console.log(JSON.stringify(Object.keys(await import('${name}'))))`;
    const exported = JSON.parse(run(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder }));
    assert.deepEqual(exported.toSorted(), declared.toSorted(), `the names that ${name} exports`);
    console.log(`${name} exports ${exported.join(', ')}`);
  }
}

/** If a package is missing, the script is run for its error first, and then once more when what that says to run has been run. */
function use(tarball, peers, script, missing) {
  const folder = join(work, script.replace('.mjs', ''));
  mkdirSync(folder);
  const dependencies = Object.fromEntries([...NEST, ...peers].map((name) => [name, devDependencies[name]]));
  dependencies['nestjs-clients'] = `file:${tarball}`;
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true, dependencies }));
  npm(folder, 'install');
  writeFileSync(join(folder, 'main.mjs'), readFileSync(join(import.meta.dirname, 'cases', script)));
  if (missing) run('sh', ['-c', findRemedy(folder, missing)], { cwd: folder });
  const printed = run(process.execPath, ['main.mjs'], { cwd: folder });
  console.log(`with ${peers.join(' and ') || 'no optional peer'}: ${printed.trim()}`);
}

/** The command in the error that says that a package is missing. */
function findRemedy(folder, missing) {
  const { stderr } = spawnSync(process.execPath, ['main.mjs'], { cwd: folder, encoding: 'utf8' });
  const [, name, command] = /needs the package "(.*)", which is not installed. Run: (.*)/.exec(stderr) ?? [];
  assert.equal(name, missing, stderr);
  return command;
}

/** `sideEffects: false`: an import that nobody uses changes nothing, and a bundler that drops such imports does no harm. */
async function checkSideEffects(folder) {
  for (const entry of ENTRIES) {
    const name = entry.replace('.', 'nestjs-clients');
    writeFileSync(join(folder, 'effects.mjs'), readFileSync(join(import.meta.dirname, 'cases/effects.mjs')));
    run(process.execPath, ['effects.mjs', name], { cwd: folder });
  }
  const { build } = await import('vite');
  const bundle = async (source, name) => {
    writeFileSync(join(folder, name), source);
    await build({
      root: folder,
      logLevel: 'error',
      ssr: { noExternal: ['nestjs-clients'] },
      build: { ssr: name, outDir: 'bundled', emptyOutDir: false, minify: false },
    });
    return join(folder, 'bundled', name);
  };
  const unused = await bundle(
    ENTRIES.map((entry) => `import '${entry.replace('.', 'nestjs-clients')}';`).join('\n'),
    'unused.js',
  );
  assert.equal(readFileSync(unused, 'utf8').trim(), 'export {};', 'what nobody uses is dropped');
  const used = await bundle(readFileSync(join(folder, 'main.mjs'), 'utf8'), 'used.js');
  assert.doesNotMatch(readFileSync(used, 'utf8'), /from ['"]nestjs-clients/);
  console.log(`bundled, without what is not used: ${run(process.execPath, [used], { cwd: folder }).trim()}`);
}
