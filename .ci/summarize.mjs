// Adds up the results of the test runs. Fails if a test was skipped, because CI has every server that tests need.
import { readFileSync } from 'node:fs';

const runs = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));
const sum = (key) => runs.reduce((total, run) => total + run[key], 0);
const [passed, failed, skipped] = ['numPassedTests', 'numFailedTests', 'numPendingTests'].map(sum);

if (skipped > 0) {
  for (const { testResults } of runs) {
    for (const { name, assertionResults } of testResults) {
      for (const test of assertionResults) {
        if (test.status !== 'passed') console.error(`not run: ${name}: ${test.fullName}`);
      }
    }
  }
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 || skipped > 0 || passed === 0 ? 1 : 0;
