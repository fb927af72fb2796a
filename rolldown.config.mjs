import { readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

const { exports, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
/** The public entries, such as `redis/index`: the files that package.json exports. */
const entries = Object.values(exports).flatMap(({ default: file }) => file?.match(/^\.\/dist\/(.+)\.js$/)?.[1] ?? []);

/**
 * TypeScript emits the declarations; this bundles each public entry into one file, which exports the public names only, and
 * what several entries share into another. Few files make cold starts fast: reading a file takes longer than running it.
 * Separate entries keep the SDKs of clients that an application does not use out of its own bundle.
 */
export default defineConfig({
  input: Object.fromEntries(entries.map((entry) => [entry, `src/${entry}.ts`])),
  platform: 'node',
  external: Object.keys(peerDependencies).map((name) => new RegExp(`^${name}(/|$)`)),
  tsconfig: 'tsconfig.build.json',
  plugins: [requireBesideTheBundle(), importsThatMayFail()],
  output: {
    dir: 'dist',
    format: 'esm',
    comments: false, // they are in the declarations and the sources
    sourcemap: true,
    sourcemapExcludeSources: true, // they are in the package
    minifyInternalExports: false,
    chunkFileNames: '[name].js',
    codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] },
  },
});

/** Copies require.cjs beside the bundle instead of into it: it needs the `require` of a CommonJS file. */
function requireBesideTheBundle() {
  return {
    name: 'require-beside-the-bundle',
    resolveId: (id) => (id === './require.cjs' ? { id, external: true } : undefined),
    buildStart() {
      this.emitFile({
        type: 'asset',
        fileName: 'require.cjs',
        source: readFileSync('src/definition/require.cjs', 'utf8'),
      });
    },
  };
}

/**
 * Rewrites `() => import('ioredis')` so that an application's bundler accepts it when ioredis is not installed: into the
 * `try` of an asynchronous function. Otherwise the bundler fails, even if the import is never called.
 */
function importsThatMayFail() {
  const literal = /\(\) => import\((['"][^'"./][^'"]*['"])\)/g;
  const guarded = 'async () => { try { return await import($1); } catch (error) { throw error; } }';
  return { name: 'imports-that-may-fail', transform: (code) => ({ code: code.replace(literal, guarded), map: null }) };
}
