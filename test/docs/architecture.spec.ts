import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

const PAGE = 'docs/architecture.md';

describe(PAGE, async () => {
  const page = await readFile(PAGE, 'utf8');
  const steps = [...page.matchAll(/^\|.*\| `(src\/[^`]+)` +\| `(\w+)` +\|$/gm)].map(
    ([, file = '', name = '']) => [name, file] as const,
  );

  it('follows a definition through the folders of the core', () => {
    const folders = new Set(steps.map(([, file]) => file.split('/')[1] ?? ''));

    expect([...folders].toSorted()).toEqual(['definition', 'events', 'module', 'redaction', 'redis', 'registry']);
    expect(steps.length).toBeGreaterThan(25);
  });

  it('finds each step in its file, under its name', async () => {
    const declared = await Promise.all(
      steps.map(async ([name, file]) => {
        const code = await readFile(file, 'utf8');
        return new RegExp(
          `^ *(?:export )?(?:static |async |function |class )*${name}(?:<[^(]*>)?(?: implements \\w+)?(?: \\{|<|\\()`,
          'm',
        ).test(code);
      }),
    );

    expect(steps.filter((_, index) => !declared[index])).toEqual([]);
  });

  it.each([
    ['src/registry/shared-client.ts', 'The states of a client', /state: ([^;}]+)/g],
    ['src/registry/client-registry.ts', 'The phases of an application', /^type Phase = (.+);$/gm],
  ])('has the states of %s in "%s"', async (file, heading, declaration) => {
    const code = await readFile(file, 'utf8');
    const union = file.includes('shared') ? (/^type Life =\n([^]*?);\n\n/m.exec(code)?.[1] ?? '') : code;
    const states = [...union.matchAll(declaration)].flatMap(([, list = '']) => list.match(/\w+(?=')/g) ?? []);
    const diagram = page.slice(page.indexOf(`## ${heading}`)).split('```')[1] ?? '';
    const drawn = new Set(diagram.match(/\w+(?= -->)|(?<=--> )\w+/g));

    expect(states.length).toBeGreaterThan(4);
    expect([...drawn].toSorted()).toEqual(states.toSorted());
  });
});
