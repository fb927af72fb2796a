// node bundle.mjs TOOL FORMAT SHAPE ENTRY OUT: bundles ENTRY into the folder OUT with the settings of docs/bundling.md.
const [tool, format, shape, entry, out] = process.argv.slice(2);
const esm = format === 'esm';
const split = shape === 'split';
const extension = esm ? 'mjs' : 'cjs';
/** Nest asks for these, and goes on without them. */
const OPTIONAL = [
  '@nestjs/microservices',
  '@nestjs/platform-express',
  '@nestjs/websockets',
  'class-transformer',
  'class-validator',
];
const OPTIONAL_FILES = new RegExp(`^(${OPTIONAL.join('|')})(/|$)`);

await { esbuild, webpack, rspack, rolldown }[tool]();

async function esbuild() {
  const { build } = await import('esbuild');
  const providedByLambda =
    shape === 'lambda' ? { external: ['@aws-sdk/*'], supported: { 'dynamic-import': false } } : {};
  const requireForEsm = `import { createRequire as create } from 'node:module'; const require = create(import.meta.url);`;
  const { external = [], ...options } = providedByLambda;
  await build({
    entryPoints: [entry],
    outdir: out,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format,
    splitting: split,
    keepNames: true,
    outExtension: { '.js': `.${extension}` },
    external: [...OPTIONAL, ...external],
    banner: esm ? { js: requireForEsm } : {},
    logLevel: 'warning',
    ...options,
  });
}

async function webpack() {
  const { default: bundler } = await import('webpack');
  await pack(bundler);
}

async function rspack() {
  const { rspack: bundler } = await import('@rspack/core');
  await pack(bundler);
}

function pack(bundler) {
  const config = {
    mode: 'production',
    target: 'node20',
    entry,
    output: {
      path: out,
      filename: `main.${extension}`,
      chunkFilename: `[name].${extension}`,
      ...(esm ? { module: true, chunkFormat: 'module' } : {}),
    },
    experiments: esm ? { outputModule: true } : {},
    externals: [OPTIONAL_FILES],
    externalsType: esm ? 'module-import' : 'commonjs',
    optimization: { minimize: false }, // for the sake of time
    plugins: split ? [] : [new bundler.optimize.LimitChunkCountPlugin({ maxChunks: 1 })],
  };
  return new Promise((resolve, reject) => {
    bundler(config, (error, stats) => {
      if (error ?? stats.hasErrors()) reject(error ?? new Error(stats.toString('errors-only')));
      else resolve();
    });
  });
}

async function rolldown() {
  const { build } = await import('rolldown');
  const fileNames = `[name].${extension}`;
  await build({
    input: entry,
    platform: 'node',
    external: OPTIONAL_FILES,
    output: { dir: out, format, codeSplitting: split, entryFileNames: fileNames, chunkFileNames: fileNames },
  });
}
