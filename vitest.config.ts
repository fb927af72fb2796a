import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const results = process.env['TEST_RESULTS'];

export default defineConfig({
  test: {
    include: ['src/**/*.spec.ts', 'test/**/*.spec.ts'],
    exclude: ['test/faults/**', 'test/bench/**', '**/node_modules/**'],
    // Most tests wait for servers and processes of their own. Vitest would take one worker less than there are cores.
    maxWorkers: Math.max(4, availableParallelism()),
    setupFiles: ['reflect-metadata'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // CI counts what ran, and fails when anything was skipped.
    reporters: results ? ['default', ['json', { outputFile: results }]] : ['default'],
  },
});
