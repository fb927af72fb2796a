// Applications with one SDK installed, bundled by esbuild, webpack, rspack and rolldown, as one file and split, as ES modules
// and as CommonJS. Each bundle runs where there is no node_modules.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, coreOf, devDependencies, install, run, runApp, work } from './harness.mjs';

const BUNDLES = join(import.meta.dirname, '../bundles');
const SDKS = { redis: 'ioredis', dynamodb: '@aws-sdk/client-dynamodb' };
const SHAPES = {
  esbuild: ['esm one', 'esm split', 'cjs one'],
  webpack: ['esm one', 'esm split', 'cjs one', 'cjs split'],
  rspack: ['esm one', 'esm split', 'cjs one', 'cjs split'],
  rolldown: ['esm one', 'esm split', 'cjs one', 'cjs split'],
};
/** What docs/bundling.md says does not work. If it does one day, the guide is to be changed. */
const FAULTS = ['dynamodb, rolldown, cjs split'];

export function checkBundlers(tarball) {
  const tools = install('bundlers', {
    dependencies: {
      '@rspack/core': '^2.0.0',
      esbuild: '^0.28.0',
      rolldown: devDependencies.rolldown,
      webpack: '^5.0.0',
    },
  });
  copyFileSync(join(BUNDLES, 'bundle.mjs'), join(tools, 'bundle.mjs'));
  const servers = installServers(tarball);
  const start = (bundle, env) => runApp(process.execPath, ['with-servers.mjs', bundle], servers, env);

  for (const [app, sdk] of Object.entries(SDKS)) {
    const folder = install(`bundled-${app}`, {
      dependencies: { ...coreOf(tarball, 12), [sdk]: devDependencies[sdk] },
    });
    copyFileSync(join(BUNDLES, `${app}.mjs`), join(folder, 'main.mjs'));
    const bundle = (tool, format, shape) => {
      const out = join(work, 'bundled', `${app}-${tool}-${format}-${shape}`);
      run(process.execPath, ['bundle.mjs', tool, format, shape, join(folder, 'main.mjs'), out], tools);
      return join(out, `main.${format === 'esm' ? 'mjs' : 'cjs'}`);
    };
    for (const [tool, shapes] of Object.entries(SHAPES)) {
      for (const shape of shapes) {
        const label = `${app}, ${tool}, ${shape}`;
        const check = () => start(bundle(tool, ...shape.split(' ')));
        if (FAULTS.includes(label)) attempt(`bundled: ${label}, does not work`, () => fail(check));
        else attempt(`bundled: ${label}`, check);
      }
    }
    if (app !== 'dynamodb') continue;
    attempt('bundled: dynamodb, esbuild, cjs, the SDK as Lambda provides it', () =>
      start(bundle('esbuild', 'cjs', 'lambda'), { NODE_PATH: join(folder, 'node_modules') }),
    );
  }
}

function installServers(tarball) {
  const folder = install('servers', {
    dependencies: {
      ...coreOf(tarball, 12),
      dynalite: devDependencies.dynalite,
      ioredis: devDependencies.ioredis,
      'js-redis-server': devDependencies['js-redis-server'],
    },
    overrides: { 'js-redis-server': { ioredis: 'x' } },
  });
  copyFileSync(join(BUNDLES, 'with-servers.mjs'), join(folder, 'with-servers.mjs'));
  return folder;
}

function fail(check) {
  try {
    check();
  } catch {
    return;
  }
  throw new Error('it works now: say so in docs/bundling.md');
}
