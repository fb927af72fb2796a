import { describe, expect, it } from 'vitest';
import { runTestExamples } from './examples.js';

describe('docs/unit-tests.md', () => {
  it('has tests that pass without a server, and that end', async () => {
    const { code, report } = await runTestExamples('docs/unit-tests.md');

    expect(report).toMatch(/Tests\s+7 passed \(7\)/);
    expect(code).toBe(0);
  }, 90_000);
});
