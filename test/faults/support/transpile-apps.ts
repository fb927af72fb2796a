import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { TestProject } from 'vitest/node';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDERS = ['src', 'test/faults/apps'];

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the transpiled apps that tests start as processes of their own. */
    apps: string;
  }
}

/** Transpiles the library and the apps of this suite, once for all files, so that plain `node` runs them. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const cache = join(ROOT, 'node_modules/.cache');
  await mkdir(cache, { recursive: true });
  const directory = await mkdtemp(join(cache, 'faults-'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  // When it transpiles single files, TypeScript does not see that the package is ESM, and `nodenext` would emit CommonJS.
  const overrides = { module: 'esnext', moduleResolution: 'bundler', declaration: false, declarationMap: false };
  const { options } = ts.convertCompilerOptionsFromJson(
    { ...config.compilerOptions, ...overrides, sourceMap: false },
    ROOT,
  );
  for (const folder of FOLDERS) {
    const files = await readdir(join(ROOT, folder), { recursive: true });
    for (const file of files.filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))) {
      const fileName = join(ROOT, folder, file);
      const { outputText } = ts.transpileModule(await readFile(fileName, 'utf8'), {
        compilerOptions: options,
        fileName,
      });
      const target = join(directory, folder, file.replace(/\.ts$/, '.js'));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, outputText);
    }
  }
  provide('apps', join(directory, 'test/faults/apps'));
  return () => rm(directory, { recursive: true, force: true });
}
