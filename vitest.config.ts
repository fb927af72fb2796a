import { defineConfig } from 'vitest/config';

const results = process.env['TEST_RESULTS'];

export default defineConfig({
  test: {
    include: ['src/**/*.spec.ts', 'test/**/*.spec.ts'],
    exclude: ['test/faults/**', 'test/bench/**', '**/node_modules/**'],
    setupFiles: ['reflect-metadata'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // CI counts what ran, and fails when anything was skipped.
    reporters: results ? ['default', ['json', { outputFile: results }]] : ['default'],
  },
});
