import { readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

const ENTRIES = ['index', 'redis/index', 'dynamodb/index', 'terminus/index', 'testing/index'];
const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));

/**
 * TypeScript emits the declarations; this makes a file of each entry, and one of the core that they share. Importing many
 * small files costs more than running what is in them, at every cold start.
 */
export default defineConfig({
  input: Object.fromEntries(ENTRIES.map((entry) => [entry, `src/${entry}.ts`])),
  platform: 'node',
  external: Object.keys(peerDependencies).map((name) => new RegExp(`^${name}(/|$)`)),
  tsconfig: 'tsconfig.build.json',
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: true,
    sourcemapExcludeSources: true, // they are in the package
    chunkFileNames: '[name].js',
    codeSplitting: {
      groups: [{ name: 'core', test: /src\/(?!redis\/|dynamodb\/|terminus\/|testing\/|index\.ts)|oxc-project/ }],
    },
  },
});
