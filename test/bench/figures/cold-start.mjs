import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alternate } from '../harness/alternate.mjs';
import { bundle, writeEntry } from '../harness/bundle.mjs';
import { startServer } from '../harness/child.mjs';
import { count, ms, spread, table } from '../harness/format.mjs';
import { findNode, versionOfNode } from '../harness/nodes.mjs';
import { median, ratio, summarize } from '../harness/statistics.mjs';
import { COLD_SUBJECTS as SUBJECTS } from '../subjects.mjs';

const NODES = ['20', '22', '24'];
const MODES = {
  plain: { title: 'plain' },
  cache: { title: 'compile cache', cached: true },
  file: { title: 'one file', bundled: true },
  'file+cache': { title: 'one file, compile cache', bundled: true, cached: true },
  split: { title: 'split', bundled: true, splitting: true },
  'split+cache': { title: 'split, compile cache', bundled: true, splitting: true, cached: true },
};
/**
 * - `folder`: what is declared
 * - `path`: the first request; `/links` uses Redis, `/stats` no client at all
 * - `onDemand`: ours asks the registry for the client; peers know no such thing, and have it injected
 */
const SCENARIOS = {
  redis: { title: 'Redis declared and used', folder: 'redis', path: '/links/1' },
  'redis-injected': { title: 'Redis declared and injected, not used', folder: 'redis', path: '/stats/1' },
  'redis-on-demand': {
    title: 'Redis declared, asked for on demand, not used',
    folder: 'redis',
    path: '/stats/1',
    onDemand: true,
  },
  both: { title: 'Redis and DynamoDB declared, Redis used', folder: 'redis-and-dynamodb', path: '/links/1' },
  'both-on-demand': {
    title: 'Redis and DynamoDB declared, asked for on demand, not used',
    folder: 'redis-and-dynamodb',
    path: '/stats/1',
    onDemand: true,
  },
};
const PEERS = Object.keys(SUBJECTS).filter((name) => SUBJECTS[name].peer);
const GOALS = { onDemand: 0.9, used: 1.05, unusedSdk: 1.03 };

/** From the start of the process to the first answered request: versions of Node, ways to ship the code, and peers. */
export default {
  id: 'cold-start',
  options: {
    pairs: { type: 'string' },
    nodes: { type: 'string' },
    modes: { type: 'string' },
    scenarios: { type: 'string' },
  },

  async measure({ rounds, env, flags = {}, log = () => {} }) {
    const pairs = Number(flags.pairs ?? rounds(5));
    const chosen = {
      nodes: choose('nodes', flags.nodes, NODES),
      modes: choose('modes', flags.modes, Object.keys(MODES)),
      scenarios: choose('scenarios', flags.scenarios, Object.keys(SCENARIOS)),
    };
    const home = mkdtempSync(join(tmpdir(), 'nestjs-clients-cold-start-'));
    const cells = [];
    try {
      for (const major of chosen.nodes) {
        const node = findNode(major, log);
        for (const mode of chosen.modes) {
          if (MODES[mode].cached && Number(major) < 22) continue; // it came with Node 22.1
          for (const scenario of chosen.scenarios) {
            const series = await measureCell({ home, node, major, mode, scenario, pairs, env });
            cells.push({ node: major, version: versionOfNode(node), mode, scenario, pairs, series });
            log(`cold start, Node ${major}, ${MODES[mode].title}: ${SCENARIOS[scenario].title}`);
          }
        }
      }
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
    return { cells };
  },

  /** Cells of the last run that this one has not measured stay. */
  merge(last, { cells }) {
    const same = (a, b) => a.node === b.node && a.mode === b.mode && a.scenario === b.scenario;
    return {
      cells: [...cells, ...last.cells.filter((old) => !cells.some((cell) => same(cell, old)))].toSorted(inOrder),
    };
  },

  report({ cells }) {
    const rows = [
      row(
        cells,
        'onDemand',
        'on demand, Redis and DynamoDB declared, neither used at boot',
        'ahead of every peer by 10 %',
        'both-on-demand',
        peersOf,
      ),
      row(cells, 'used', 'Redis declared and used', 'within 5 % of the best', 'redis', peersOf),
      row(cells, 'used', 'Redis and DynamoDB declared, Redis used', 'within 5 % of the best', 'both', peersOf),
      row(
        cells.filter(({ mode }) => MODES[mode].splitting),
        'unusedSdk',
        'split bundle: two SDKs that are not used',
        'nothing: within 3 % of no SDK declared',
        'both-on-demand',
        () => ['withoutSdk'],
      ),
    ].filter(Boolean);
    const first = cells.find(({ scenario, mode }) => scenario === 'both' && mode === 'plain') ?? cells[0];
    return {
      title: 'Cold start',
      about: `From the start of the process to the first answered request. Ten handlers; one of them uses a client, on a real redis-server. Everybody declares the same SDKs; peers that have no DynamoDB have it from aws-sdk-v3-nest; what a peer depends on is bundled with it. Used: the first request goes to the handler with the client. Not used: it goes to another; on demand, that handler’s class injects the registry and would ask it for the client, where peers inject theirs. Bundles are esbuild’s, ES modules; the compile cache is warm. Each round runs every subject once; how many rounds stands with each table; ratios are nestjs-clients on the same Nest, round by round, by processor time of the whole process and by the clock. Below 40 rounds nothing under 8 % is resolved. ${versionsOf(cells)}.`,
      rows,
      details: renderCells(cells),
      plot: {
        kind: 'bars',
        title: 'Cold start: process start to first answered request',
        subtitle: `${SCENARIOS[first.scenario].title}; Node ${first.node}, ${MODES[first.mode].title}`,
        unit: 'ms',
        bars: Object.entries(first.series).map(([name, values]) => ({
          label: SUBJECTS[name].title,
          group: `Nest ${SUBJECTS[name].place.slice(4)}`,
          ours: Boolean(SUBJECTS[name].ours),
          ...summarize(values.answered),
        })),
      },
    };
  },

  /** The table of docs/cold-start.md: a line for each version of Node, way to ship the code, and use of the client. */
  page({ cells }) {
    const lines = cells
      .filter(({ scenario }) => scenario === 'redis' || scenario === 'both-on-demand')
      .map(({ node, mode, scenario, pairs, series }) => {
        const ratios = peersOf(series).map((peer) => [
          SUBJECTS[peer].title,
          ratio(cost(series, twin(peer)), cost(series, peer)),
        ]);
        const [peer, closest] = ratios.toSorted(([, a], [, b]) => b.median - a.median)[0];
        return [
          SCENARIOS[scenario].title,
          `Node ${node}, ${MODES[mode].title}`,
          spread(summarize(series.ours.answered), ms),
          spread(closest),
          peer,
          pairs,
        ];
      });
    return [
      `Process start to first answer, ${versionsOf(cells)}: medians and quartiles. The ratio is the processor time of nestjs-clients over that of the closest peer, round by round: below 1 is ahead of every peer. With fewer than 40 rounds nothing under 8 % is resolved. Each peer: [performance](performance.md#cold-start).`,
      table(['declared', 'run', 'first answer', 'over the closest peer', 'that peer', 'rounds'], lines),
    ].join('\n\n');
  },
};

function versionsOf(cells) {
  return [...new Set(cells.map(({ version }) => version))].join(', ');
}

/** By scenario, version of Node and mode, as they are listed above. */
function inOrder(a, b) {
  const ids = Object.keys(SCENARIOS);
  const modes = Object.keys(MODES);
  return (
    ids.indexOf(a.scenario) - ids.indexOf(b.scenario) ||
    NODES.indexOf(a.node) - NODES.indexOf(b.node) ||
    modes.indexOf(a.mode) - modes.indexOf(b.mode)
  );
}

function choose(what, list, known) {
  const chosen = list?.split(',') ?? known;
  const unknown = chosen.find((id) => !known.includes(id));
  if (unknown) throw new Error(`--${what}: no "${unknown}"; there are: ${known.join(', ')}`);
  return chosen;
}

async function measureCell({ home, node, major, mode, scenario, pairs, env }) {
  const { bundled, splitting, cached } = MODES[mode];
  const { folder, path, onDemand } = SCENARIOS[scenario];
  const subjects = {};
  for (const [name, { place, file, onDemandFile, everywhere }] of Object.entries(SUBJECTS)) {
    if (everywhere && !onDemand) continue; // a floor of what is not used
    const subject = everywhere ? file : `${folder}/${(onDemand && onDemandFile) || file}`;
    const entry = writeEntry(place, `${scenario}-${name}`, `subjects/${subject}`, 'serve');
    const at = join(home, [splitting ? 'split' : 'file', scenario, name].join('-'));
    const app = bundled ? await bundle(entry, at, Boolean(splitting)) : entry;
    const cache = cached ? { NODE_COMPILE_CACHE: join(home, `cache-${major}-${mode}-${scenario}-${name}`) } : {};
    subjects[name] = { place, run: (end) => answerOnce(place, app, path, { ...env, ...cache }, node, end) };
    if (cached) await subjects[name].run('SIGHUP');
  }
  return alternate(subjects, pairs, ({ run }) => run('SIGKILL'));
}

async function answerOnce(place, app, path, env, node, end) {
  const server = await startServer(place, app, [], env, node);
  try {
    const listening = performance.now() - server.startedAt;
    const response = await fetch(`${server.url}${path}`);
    await response.text();
    const answered = performance.now() - server.startedAt;
    const processor = server.processorTime();
    if (response.status !== 200) throw new Error(`${app} answered ${response.status}`);
    return { listening, answered, ...(processor !== undefined && { processor }) };
  } finally {
    server.signal(end);
    await server.exited;
  }
}

/** What is compared: processor time, on which the rest of the machine has less influence. */
const cost = (series, name) => series[name].processor ?? series[name].answered;
/** The library on the same Nest and the same driver. */
const twin = (name) => SUBJECTS[name].twin;
const peersOf = (series) => PEERS.filter((peer) => series[peer]);

/** A goal over all cells of a scenario; what is shown is where it is closest to being missed. */
function row(cells, goal, figure, text, scenario, othersOf) {
  const compared = cells
    .filter((cell) => cell.scenario === scenario)
    .flatMap(({ node, mode, series }) =>
      othersOf(series).map((other) => ({
        where: `Node ${node}, ${MODES[mode].title}`,
        other,
        ours: summarize(cost(series, twin(other))),
        theirs: summarize(cost(series, other)),
        ratio: ratio(cost(series, twin(other)), cost(series, other)),
      })),
    );
  if (compared.length === 0) return undefined;
  const worst = compared.toSorted((a, b) => b.ratio.median - a.ratio.median)[0];
  const missed = compared.filter((each) => each.ratio.median > GOALS[goal]);
  const name = ({ other, where }) => `${SUBJECTS[other].title}, ${where}`;
  return {
    figure: `cold start, processor time: ${figure}`,
    goal: text,
    ours: ms(worst.ours.median),
    compared: `the closest of ${count(compared.length)}: ${name(worst)} ${ms(worst.theirs.median)}`,
    ratio: spread(worst.ratio),
    met: missed.length === 0,
    why: `${count(missed.length)} of ${count(compared.length)}: ${missed.map((each) => `${name(each)} ${spread(each.ratio)}`).join('; ')}.`,
  };
}

function renderCells(cells) {
  return cells
    .map(({ node, mode, scenario, pairs, series }) =>
      [
        `**${SCENARIOS[scenario].title}: Node ${node}, ${MODES[mode].title}**, ${pairs} rounds`,
        table(
          [
            'subject',
            'Nest',
            'listening',
            'first answer',
            'processor time',
            'nestjs-clients over it, processor time',
            'by the clock',
          ],
          Object.entries(series).map(([name, values]) => {
            const { title, place, twin: own } = SUBJECTS[name];
            return [
              title,
              place.slice(4),
              ms(median(values.listening)),
              spread(summarize(values.answered), ms),
              spread(summarize(cost(series, name)), ms),
              ...(own
                ? [ratio(cost(series, own), cost(series, name)), ratio(series[own].answered, values.answered)].map(
                    (each) => spread(each),
                  )
                : ['', '']),
            ];
          }),
        ),
      ].join('\n\n'),
    )
    .join('\n\n');
}
