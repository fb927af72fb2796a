import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appIn, loadTool } from './places.mjs';

/** The file that starts a subject: `serve` or `invoke`. It imports all that it runs, so that it can be bundled. */
export function writeEntry(place, name, subject, start) {
  const file = appIn(place, `entry-${name}.mjs`);
  const lines = [`import * as subject from './${subject}';`, `import { ${start} } from './start.mjs';`];
  writeFileSync(file, [...lines, `await ${start}(subject);`, ''].join('\n'));
  return file;
}

/**
 * Bundles an entry as docs/bundling.md has it, with all that it needs, into a folder from where no package can be found.
 *
 * @param splitting whether what is imported on demand is in files of its own
 * @returns the file to run
 */
export async function bundle(entry, folder, splitting) {
  mkdirSync(folder, { recursive: true });
  await loadTool('esbuild').build({
    entryPoints: { main: entry },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    keepNames: true,
    logLevel: 'error',
    banner: { js: `import { createRequire as create } from 'node:module'; const require = create(import.meta.url);` },
    plugins: [WITHOUT_WHAT_IS_MISSING],
  });
  return join(folder, 'main.mjs');
}

/** Packages that are not installed stay outside: Nest and its modules ask for many that an application may not have. */
const WITHOUT_WHAT_IS_MISSING = {
  name: 'without-what-is-missing',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (kind === 'entry-point' || pluginData === 'tried') return undefined;
      const found = await build.resolve(path, { kind, resolveDir, pluginData: 'tried' });
      return found.errors.length > 0 ? { path, external: true } : found;
    });
  },
};
