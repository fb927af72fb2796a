import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { problemsOf } from './compile-examples.js';
import { examplesOf } from './examples.js';

const pages = [
  'README.md',
  ...(await readdir('docs')).filter((file) => file.endsWith('.md')).map((file) => `docs/${file}`),
];

describe('the examples in README and guides', () => {
  it('compile', async () => {
    const examples = (await Promise.all(pages.map(examplesOf))).flat();

    expect(examples.length).toBeGreaterThan(10);
    expect(problemsOf(examples)).toEqual([]);
  }, 120_000);

  it('would not compile with a mistake in them', () => {
    const code = `ClientsModule.forRoot({ clients: {} });\nredisClient(42);\n`;

    expect(problemsOf([{ page: 'docs/example.md', line: 7, code }])).toEqual([
      expect.stringMatching(/^docs\/example\.md:8: .*'42' is not assignable/),
    ]);
  }, 60_000);
});
