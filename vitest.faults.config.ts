import { defineConfig } from 'vitest/config';
import { ReliabilityReporter } from './test/faults/support/reliability-reporter.js';
import base from './vitest.config.js';

const { projects: _, ...common } = base.test ?? {};
/** Their bounds, or what they put on the page, are tight in time or memory: one file after the other, and nothing else. */
const alone = ['aws', 'building', 'closing-redis', 'cycles'].map((name) => `test/faults/${name}.spec.ts`);

/** Faults take servers down and wait for deadlines, longer than a test may: most files do little else meanwhile. */
export default defineConfig({
  test: {
    ...common,
    testTimeout: 240_000,
    hookTimeout: 120_000,
    globalSetup: ['test/faults/support/transpile-apps.ts'],
    reporters: [...((common.reporters ?? []) as ['default']), new ReliabilityReporter()],
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/faults/**/*.spec.ts'],
          exclude: [...alone, '**/node_modules/**'],
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
