import { readFile } from 'node:fs/promises';

const ROOT = new URL('../../', import.meta.url);

/** The TypeScript blocks of a page, such as `docs/metrics.md`. */
export async function codeBlocksOf(page: string): Promise<string[]> {
  const markdown = await readFile(new URL(page, ROOT), 'utf8');
  return [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code as string);
}

/** A file's code as a page shows it: imports of this library's sources are imports of its package. */
export async function asPublished(file: string): Promise<string> {
  const source = await readFile(new URL(file, ROOT), 'utf8');
  return source.replaceAll(
    /from '(?:\.\.\/)+src\/(?:([\w-]+)\/)?index\.js'/g,
    (_, subpath?: string) => `from 'nestjs-clients${subpath ? `/${subpath}` : ''}'`,
  );
}
