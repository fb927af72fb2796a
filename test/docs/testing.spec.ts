import { describe, expect, it } from 'vitest';
import { runTestExamples } from './examples.js';

describe('docs/testing.md', () => {
  // The settings for Jest are run by test/package/check-matrix.mjs.
  it('has tests that pass, and that end', async () => {
    const { code, report } = await runTestExamples('docs/testing.md');

    expect(report).toMatch(/Tests\s+3 passed \(3\)/);
    expect(code).toBe(0);
  }, 90_000);
});
