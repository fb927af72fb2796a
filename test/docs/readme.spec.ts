import { access, readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function read(file: string): Promise<string> {
  return readFile(join(ROOT, file), 'utf8');
}

const readme = await read('README.md');
const pages = ['README.md', ...(await readdir(join(ROOT, 'docs'))).filter(isMarkdown).map((file) => `docs/${file}`)];

function isMarkdown(file: string): boolean {
  return file.endsWith('.md');
}

/** How GitHub names a heading in an address. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
}

describe('README.md', () => {
  it('is read in a few minutes', () => {
    expect(readme.split(/\s+/).length).toBeLessThan(1_200);
  });

  it('has every guide, and only links that are in the package', async () => {
    const targets = [...readme.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target = '']) => target);
    const guides = pages.filter((page) => page !== 'README.md' && page !== 'docs/README.md');

    expect(guides.filter((guide) => !targets.includes(guide))).toEqual([]);
    expect(targets.filter((target) => !/^(https:\/\/|docs\/)/.test(target))).toEqual([]);
  });

  it('says that the package has no dependencies and ends no process, and it has and does not', async () => {
    const { dependencies } = JSON.parse(await read('package.json')) as { dependencies?: object };
    const files = (await readdir(join(ROOT, 'src'), { recursive: true })).filter((file) => file.endsWith('.ts'));
    const sources = await Promise.all(files.map((file) => read(`src/${file}`)));

    expect(readme).toContain('no dependencies of its own');
    expect(dependencies).toBeUndefined();
    expect(readme).toContain('never calls `process.exit`');
    expect(sources.filter((source) => /process\.(exit|abort|kill)\b/.test(source))).toEqual([]);
  });
});

describe('README and guides', () => {
  it('lead to files and headings that are there', async () => {
    const broken: string[] = [];
    for (const page of pages) {
      const text = await read(page);
      for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [file = '', anchor] = target.split('#');
        const path = file === '' ? page : join(dirname(page), file);
        const there = await access(join(ROOT, path)).then(
          () => true,
          () => false,
        );
        const headings = anchor && there ? [...(await read(path)).matchAll(/^#+ (.+)$/gm)] : [];
        const found = anchor === undefined || headings.some(([, heading = '']) => anchorOf(heading) === anchor);
        if (!there || !found) broken.push(`${page}: ${target}`);
      }
    }
    expect(broken).toEqual([]);
  });
});
