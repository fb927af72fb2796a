import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const results = process.env['TEST_RESULTS'];
/** Tests that measure how long the processor takes: one file after the other, when nothing else runs. */
const measuring = ['test/redaction/linear-time.spec.ts', 'test/redaction/errors.spec.ts'];
const exclude = ['test/faults/**', 'test/bench/**', '**/node_modules/**'];

export default defineConfig({
  test: {
    setupFiles: ['reflect-metadata'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // CI counts what ran, and fails when anything was skipped.
    reporters: results ? ['default', ['json', { outputFile: results }]] : ['default'],
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['src/**/*.spec.ts', 'test/**/*.spec.ts'],
          exclude: [...exclude, ...measuring],
          // Half of them wait for servers and processes most of their time: more files at a time than there are cores.
          maxWorkers: Math.max(4, availableParallelism()),
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'measuring', include: measuring, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
