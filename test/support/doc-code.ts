import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const ROOT = new URL('../../', import.meta.url);

/**
 * Asserts that a page shows exactly the code of a file that a test has compiled and run, imports of this library's
 * sources being shown as imports of its package.
 *
 * @param page the page's path in the repository, such as `docs/metrics.md`
 * @param file the file's path in the repository
 */
export async function expectShown(page: string, file: string): Promise<void> {
  const [markdown, source] = await Promise.all(
    [page, file].map((path) => readFile(fileURLToPath(new URL(path, ROOT)), 'utf8')),
  );
  const blocks = [...(markdown ?? '').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
  expect(blocks, `${page} shows ${file}`).toContain(asPublished(source ?? ''));
}

function asPublished(source: string): string {
  return source.replaceAll(
    /from '(?:\.\.\/)+src\/(?:(\w+)\/)?index\.js'/g,
    (_, subpath?: string) => `from 'nestjs-clients${subpath ? `/${subpath}` : ''}'`,
  );
}
