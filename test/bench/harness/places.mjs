import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { isAbsolute, join } from 'node:path';

const BENCH = join(import.meta.dirname, '..');
const ROOT = join(BENCH, '../..');

/** The two installations in which subjects run. What a package wants decides which one it is measured in. */
export const NEST_12 = 'nest12';
export const NEST_11 = 'nest11';
const PLACES = [NEST_12, NEST_11];

/**
 * Makes each installation complete: peers as locked, the library as built, and the apps.
 *
 * Library and apps are copied next to the peers, so that all of them resolve the same Nest and the same SDKs, and so that
 * the library is loaded as an installed package is.
 */
export function preparePlaces(log) {
  if (!existsSync(join(ROOT, 'dist/index.js'))) throw new Error('Nothing to measure: run "npm run build" first.');
  for (const place of PLACES) {
    const home = join(BENCH, 'peers', place);
    if (isStale(home)) {
      log(`npm ci in test/bench/peers/${place}`);
      execFileSync('npm', ['ci', '--prefix', home], { stdio: ['ignore', 'ignore', 'inherit'] });
    }
    const modules = join(home, 'node_modules');
    rmSync(join(modules, 'nestjs-clients'), { recursive: true, force: true });
    cpSync(join(ROOT, 'dist'), join(modules, 'nestjs-clients/dist'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(modules, 'nestjs-clients/package.json'));
    rmSync(join(modules, '.bench'), { recursive: true, force: true });
    cpSync(join(BENCH, 'apps'), join(modules, '.bench'), { recursive: true });
    writeFileSync(
      join(modules, '.bench/imports/ours-unrun.mjs'),
      withoutRunning(['shared', 'index', 'redis/index', 'dynamodb/index']),
    );
  }
}

/** A file that imports the same packages, with the same code in functions that nobody calls: it is only read and parsed. */
function withoutRunning(entries) {
  const files = entries.map((entry) => readFileSync(join(ROOT, `dist/${entry}.js`), 'utf8').split('\n'));
  const packages = files.flat().flatMap((line) => /^import .* from ("[^.].*")/.exec(line)?.[1] ?? []);
  const functions = files.flatMap((lines, index) => [
    `export function unrun${index}() {`,
    ...lines.filter((line) => !/^(import|export) /.test(line)),
    '}',
  ]);
  return [...packages.map((name) => `import ${name};`), ...functions, ''].join('\n');
}

/** Where an app is, for a child process to run. A bundle, which is made elsewhere, is where it is. */
export function appIn(place, file) {
  return isAbsolute(file) ? file : join(BENCH, 'peers', place, 'node_modules/.bench', file);
}

/** A package of the benchmarks' own, such as the load generator. */
export function loadTool(name) {
  return createRequire(join(BENCH, 'peers', NEST_12, 'package.json'))(name);
}

export function versionIn(place, name) {
  const file = join(BENCH, 'peers', place, 'node_modules', name, 'package.json');
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

function isStale(home) {
  const installed = join(home, 'node_modules/.package-lock.json');
  return !existsSync(installed) || statSync(installed).mtimeMs < statSync(join(home, 'package-lock.json')).mtimeMs;
}
