// Small apps on each Nest, ioredis and Node, over Express and Fastify, as ES modules and CommonJS, and their tests in Vitest
// and Jest. One install for each Nest; each app then runs in a process of its own.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { APPS, atLeast, attempt, coreOf, devDependencies, install, run, runApp } from './harness.mjs';
import { jestSettings } from './testing-guide.mjs';
import { checkRedisTypes } from './types.mjs';

const VM_MODULES = { NODE_OPTIONS: '--experimental-vm-modules' };

export function checkApps(tarball, nodes, compilers) {
  for (const [nest, ioredis, other] of [
    [11, 5, 6],
    [12, 6, 5],
  ]) {
    const folder = installApps(tarball, nest, ioredis, other);
    for (const node of nodes) checkNode(folder, nest, ioredis, node);
    checkRedisTypes(folder, nest, compilers);
    exchange(folder);
    for (const node of nodes)
      boot(folder, `Nest ${nest}, ioredis ${other}, Node ${node.version}`, node, 'express', 'mjs', 'visits');
    for (const version of [6, 5]) {
      const redis = `Nest ${nest}, node-redis ${versionOf(folder, 'redis')}`;
      for (const modules of ['mjs', 'cjs']) boot(folder, redis, nodes[0], 'express', modules, 'node-redis');
      if (version === 6) exchange(folder, 'redis');
    }
  }
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
    attempt(`${label}: Jest, CommonJS, transformed`, () => jest({ ...commonjs, ...jestSettings }));
  }
}

function boot(folder, label, node, platform, modules, app) {
  attempt(`${label}: ${app}, ${platform}, ${modules === 'mjs' ? 'ES modules' : 'CommonJS'}`, () =>
    runApp(node.path, [`main.${modules}`, platform, app], folder),
  );
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
      redis: '^6.0.0',
      'redis-other': 'npm:redis@^5.0.0',
      'ts-jest': '^29.4.0',
      typescript: '~5.9.0',
      vitest: devDependencies.vitest,
    },
    overrides: { 'js-redis-server': { ioredis: 'x' } },
  });
  const commonjs = join(folder, 'commonjs');
  mkdirSync(commonjs);
  writeFileSync(join(commonjs, 'package.json'), JSON.stringify({ private: true, type: 'commonjs' }));
  for (const file of readdirSync(APPS)) copyFileSync(join(APPS, file), join(folder, file));
  for (const file of ['visits-app.cjs', 'jest-cjs.spec.js']) copyFileSync(join(APPS, file), join(commonjs, file));
  for (const target of [folder, commonjs]) copyFileSync(join(APPS, 'types-redis.ts.txt'), join(target, 'redis.ts'));
  return folder;
}

/** The other version takes the place of the first, without another install. */
function exchange(folder, name = 'ioredis') {
  const modules = join(folder, 'node_modules');
  renameSync(join(modules, name), join(modules, `${name}-first`));
  renameSync(join(modules, `${name}-other`), join(modules, name));
}

function versionOf(folder, name) {
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
}
