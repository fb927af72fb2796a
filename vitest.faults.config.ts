import { defineConfig } from 'vitest/config';
import { ReliabilityReporter } from './test/faults/support/reliability-reporter.js';
import base from './vitest.config.js';

/** Faults take servers down and wait for deadlines: longer than a test may, and one file after the other. */
const { projects: _, ...common } = base.test ?? {};

export default defineConfig({
  test: {
    ...common,
    include: ['test/faults/**/*.spec.ts'],
    exclude: ['**/node_modules/**'],
    testTimeout: 240_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    globalSetup: ['test/faults/support/transpile-apps.ts'],
    reporters: [...((common.reporters ?? []) as ['default']), new ReliabilityReporter()],
  },
});
