import { defineConfig } from 'vitest/config';

const results = process.env['TEST_RESULTS'];
/** Tests that wait for servers most of their time. */
const waiting = ['test/redis/**/*.spec.ts', 'test/node-redis/**/*.spec.ts'];
const exclude = ['test/faults/**', 'test/bench/**', '**/node_modules/**'];

export default defineConfig({
  test: {
    setupFiles: ['reflect-metadata'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // CI counts what ran, and fails when anything was skipped.
    reporters: results ? ['default', ['json', { outputFile: results }]] : ['default'],
    projects: [
      // More files at a time than there are cores; those that need a core, or measure time, run afterwards.
      { extends: true, test: { name: 'servers', include: waiting, maxWorkers: 4, sequence: { groupOrder: 0 } } },
      {
        extends: true,
        test: {
          name: 'others',
          include: ['src/**/*.spec.ts', 'test/**/*.spec.ts'],
          exclude: [...exclude, ...waiting],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
