/**
 * Measures everything of docs/performance.md in one go, and writes it.
 *
 *   node test/bench/run.mjs                    all figures, docs/performance.md and docs/performance/*.svg
 *   node test/bench/run.mjs import cold-start  these figures only, to the terminal
 *   node test/bench/run.mjs --quick            few rounds: does it work?
 *   node test/bench/run.mjs cold-start --pairs 40 --nodes 24 --modes split,split+cache --scenarios both-on-demand
 *                                              as many pairs, of these; --page writes the table of docs/cold-start.md
 *   node test/bench/run.mjs --render           the documents again, from the last run's results
 *   node test/bench/run.mjs --quick --docs DIR where the documents go; a quick run writes none unless told where
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import bootstrap from './figures/bootstrap.mjs';
import closing from './figures/closing.mjs';
import coldStart from './figures/cold-start.mjs';
import credentials from './figures/credentials.mjs';
import frozen from './figures/frozen.mjs';
import importing from './figures/import.mjs';
import injected from './figures/injected.mjs';
import keyed from './figures/keyed.mjs';
import memory from './figures/memory.mjs';
import registry from './figures/registry.mjs';
import requestScope from './figures/request-scope.mjs';
import scale from './figures/scale.mjs';
import shutdownUnderLoad from './figures/shutdown-under-load.mjs';
import throughput from './figures/throughput.mjs';
import { describeMachine } from './harness/machine.mjs';
import { preparePlaces } from './harness/places.mjs';
import { startRedisServer } from './harness/redis-server.mjs';
import { printReport, writePages, writeReport } from './harness/report.mjs';

const FIGURES = [
  importing,
  bootstrap,
  injected,
  coldStart,
  frozen,
  throughput,
  credentials,
  registry,
  keyed,
  requestScope,
  scale,
  closing,
  memory,
  shutdownUnderLoad,
];
const DOCS = join(import.meta.dirname, '../../docs');
const RESULTS = join(import.meta.dirname, 'results/last.json');

const { values: flags, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean' },
    render: { type: 'boolean' },
    docs: { type: 'string' },
    page: { type: 'boolean' },
    ...coldStart.options,
  },
});
const log = (line) => process.stderr.write(`${line}\n`);

const unknown = wanted.find((id) => !FIGURES.some((figure) => figure.id === id));
if (unknown) throw new Error(`No figure "${unknown}"; there are: ${FIGURES.map(({ id }) => id).join(', ')}`);

if (flags.render) {
  writeReport(flags.docs ?? DOCS, FIGURES, JSON.parse(readFileSync(RESULTS, 'utf8')));
} else {
  const chosen = FIGURES.filter(({ id }) => wanted.length === 0 || wanted.includes(id));
  const results = await measure(chosen);
  printReport(chosen, results);
  if (flags.page) writePages(flags.docs ?? DOCS, chosen, results);
  if (wanted.length === 0 && (!flags.quick || flags.docs)) {
    mkdirSync(join(RESULTS, '..'), { recursive: true });
    writeFileSync(RESULTS, JSON.stringify(results));
    writeReport(flags.docs ?? DOCS, FIGURES, results);
    writePages(flags.docs ?? DOCS, FIGURES, results);
  }
}

async function measure(figures) {
  const startedAt = performance.now();
  preparePlaces(log);
  const redis = await startRedisServer();
  const rounds = (full) => (flags.quick ? Math.max(2, Math.ceil(full / 10)) : full);
  const measured = {};
  try {
    for (const { id, measure: run } of figures) {
      const figureStartedAt = performance.now();
      measured[id] = await run({ rounds, env: { REDIS_URL: redis.url }, flags, log });
      log(`${id}: ${seconds(figureStartedAt)} s`);
    }
  } finally {
    await redis.stop();
  }
  return {
    machine: describeMachine(),
    date: new Date().toISOString().slice(0, 10),
    duration: seconds(startedAt),
    measured,
  };
}

function seconds(since) {
  return Math.round((performance.now() - since) / 1000);
}
