import { readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

const { exports, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
/** The public entries, such as `redis/index`: the files that package.json exports. */
const entries = Object.values(exports).flatMap(({ default: file }) => file?.match(/^\.\/dist\/(.+)\.js$/)?.[1] ?? []);

/**
 * TypeScript emits the declarations; this makes one file of each public entry, which exports the public names only, and
 * one of all that several of them share. Reading a file costs more than running what is in it, at every cold start. And
 * what an entry does not import is not seen by a bundler, such as the SDK of a client that an application does not use.
 */
export default defineConfig({
  input: Object.fromEntries(entries.map((entry) => [entry, `src/${entry}.ts`])),
  platform: 'node',
  external: Object.keys(peerDependencies).map((name) => new RegExp(`^${name}(/|$)`)),
  tsconfig: 'tsconfig.build.json',
  plugins: [requireBesideTheBundle(), importsThatMayFail(), asciiOnly()],
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

/** require.cjs stays a CommonJS file of its own, as what it is for demands. */
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
 * Writes `() => import('ioredis')` in the form that bundlers accept where ioredis is not installed: in the `try` of an
 * asynchronous function. Without it they end with an error, although nothing of it is ever called.
 */
function importsThatMayFail() {
  const literal = /\(\) => import\((['"][^'"./][^'"]*['"])\)/g;
  const guarded = 'async () => { try { return await import($1); } catch (error) { throw error; } }';
  return { name: 'imports-that-may-fail', transform: (code) => ({ code: code.replace(literal, guarded), map: null }) };
}

/** Writes other characters as escapes: one of them makes V8 keep and read the whole file at two bytes a character. */
function asciiOnly() {
  const escape = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return { name: 'ascii-only', renderChunk: (code) => ({ code: code.replace(/[^\x00-\x7f]/g, escape), map: null }) };
}
