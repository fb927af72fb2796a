/**
 * Measures everything of docs/performance.md in one go, and writes it.
 *
 *   node test/bench/run.mjs                    all figures, docs/performance.md and docs/performance/*.svg
 *   node test/bench/run.mjs import cold-start  these figures only, to the terminal
 *   node test/bench/run.mjs import --keep      and keeps them in place of the last run's, for --render
 *   node test/bench/run.mjs --quick            few rounds: does it work?
 *   node test/bench/run.mjs cold-start --pairs 40 --nodes 24 --modes split,split+cache --scenarios both-on-demand
 *                                              as many pairs, of these
 *   node test/bench/run.mjs --render           the documents again, from the last run's results
 *   node test/bench/run.mjs --quick --docs DIR where the documents go; a quick run writes none unless told where
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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
    keep: { type: 'boolean' },
    ...coldStart.options,
  },
});
const log = (line) => process.stderr.write(`${line}\n`);

const unknown = wanted.find((id) => !FIGURES.some((figure) => figure.id === id));
if (unknown) throw new Error(`No figure "${unknown}"; there are: ${FIGURES.map(({ id }) => id).join(', ')}`);

if (flags.render) {
  writeDocuments(flags.docs ?? DOCS, JSON.parse(readFileSync(RESULTS, 'utf8')));
} else {
  const chosen = FIGURES.filter(({ id }) => wanted.length === 0 || wanted.includes(id));
  const results = await measure(chosen);
  printReport(chosen, results);
  const isWhole = wanted.length === 0 && (!flags.quick || flags.docs);
  if (isWhole || flags.keep) keep(results);
  if (isWhole) writeDocuments(flags.docs ?? DOCS, results);
}

function writeDocuments(docs, results) {
  writeReport(docs, FIGURES, results);
  writePages(docs, FIGURES, results);
}

/** Puts what was measured in place of the last run's. A figure may say what of its own last run stays. */
function keep(results) {
  mkdirSync(join(RESULTS, '..'), { recursive: true });
  const last = wanted.length > 0 && existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : { measured: {} };
  for (const figure of FIGURES) {
    const [before, now] = [last.measured[figure.id], results.measured[figure.id]];
    if (now) last.measured[figure.id] = before && figure.merge ? figure.merge(before, now) : now;
  }
  writeFileSync(
    RESULTS,
    JSON.stringify({ ...results, measured: last.measured, duration: results.duration + (last.duration ?? 0) }),
  );
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
