import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'rolldown';

/** The entries that make up the one file: none of them imports an optional package before a client is built. */
const TOGETHER = ['index', 'redis/index', 'aws/index', 'dynamodb/index'];
/** The folders of the entries beside it. */
const BESIDE = ['terminus', 'http', 'opentelemetry', 'testing'];
const BUNDLE = '\0clients';
const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));

/**
 * TypeScript emits the declarations; this makes one file of what a service imports, and one each of the entries beside
 * it. Reading a file costs more than running what is in it, at every cold start. What each entry offers is in its types.
 */
export default defineConfig({
  input: { clients: BUNDLE, ...Object.fromEntries(BESIDE.map((name) => [`${name}/index`, `src/${name}/index.ts`])) },
  platform: 'node',
  external: Object.keys(peerDependencies).map((name) => new RegExp(`^${name}(/|$)`)),
  tsconfig: 'tsconfig.build.json',
  preserveEntrySignatures: 'allow-extension', // the entries beside it use what is in it
  plugins: [
    {
      name: 'one-file',
      resolveId: (id) => (id === BUNDLE ? BUNDLE : undefined),
      load: (id) =>
        id === BUNDLE
          ? TOGETHER.map((entry) => `export * from '${join(import.meta.dirname, `src/${entry}.ts`)}';`).join('\n')
          : undefined,
    },
  ],
  output: {
    dir: 'dist',
    format: 'esm',
    comments: false, // they are in the declarations and the sources
    sourcemap: true,
    sourcemapExcludeSources: true, // they are in the package
    minifyInternalExports: false,
    codeSplitting: {
      groups: [{ name: 'clients', test: new RegExp(`src/(?!(${BESIDE.join('|')})/)|oxc-project|\0clients`) }],
    },
  },
});
