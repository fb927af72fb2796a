import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { table } from './format.mjs';
import { draw } from './plot.mjs';

const HEADER = ['figure', 'goal', 'nestjs-clients', 'compared with', 'ratio', ''];

/** The summary, to the terminal. */
export function printReport(figures, results) {
  const reports = figures.map(({ id, report }) => report(results.measured[id]));
  for (const { title, rows, details } of reports) {
    console.log([`\n${title}`, table(HEADER, rows.map(toCells)), ...explain(rows), details].join('\n\n'));
  }
}

/** performance.md, and a plot for each figure that has one. */
export function writeReport(docs, figures, results) {
  const reports = figures.map(({ id, report }) => ({ id, ...report(results.measured[id]) }));
  mkdirSync(join(docs, 'performance'), { recursive: true });
  for (const { id, plot } of reports) {
    if (plot) writeFileSync(join(docs, 'performance', `${id}.svg`), draw(plot));
  }
  const rows = reports.flatMap((report) => report.rows);
  writeFileSync(join(docs, 'performance.md'), render(reports, rows, results));
}

/** The part of a guide that a figure writes: what stands between its two markers. A guide without them stays as it is. */
export function writePages(docs, figures, results) {
  for (const { id, page } of figures) {
    const file = join(docs, `${id}.md`);
    if (!page || !existsSync(file)) continue;
    const [begin, end] = [`<!-- ${id}: written by test/bench/run.mjs -->`, `<!-- ${id}: end -->`];
    const text = readFileSync(file, 'utf8');
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) continue;
    writeFileSync(file, `${text.slice(0, from + begin.length)}\n\n${page(results.measured[id])}\n\n${text.slice(to)}`);
  }
}

function render(reports, rows, { machine, date, duration }) {
  const met = rows.filter((row) => row.met).length;
  return `# Performance

<!-- Written by test/bench/run.mjs. Do not edit: run it again. -->

${renderSummary(rows)}

\`npm run bench\` measures all of this in about ${Math.ceil(duration / 60)} minutes, and writes this page. A figure, or a part of the
cold start, may come from a run of its own on the same day (\`--keep\`), with more or fewer rounds. Within it the subjects alternate; what is shown is the median, with the quartiles in parentheses; a ratio is taken run by run, ours over the
other's, so that below 1 is faster. A peer that wants Nest 11 and ioredis 5 runs on those, and is compared with
nestjs-clients on the same. Nothing here is asserted by a test, and no figure is written by hand.

Measured on ${date}:

${machine.map((line) => `- ${line}`).join('\n')}

## Goals

${met} of ${rows.length} met.

${table(HEADER, rows.map(toCells))}

${renderMissed(rows)}${reports.map(renderSection).join('\n')}`;
}

/** The page's first lines, for readers who do not read tables. Each takes its figures from a row of this run. */
function renderSummary(rows) {
  const missed = rows.filter(({ met }) => !met).length;
  return [
    `- **Goals**: ${rows.length - missed} of ${rows.length} are met. Missed: ${missed}, listed below, each with its cause.`,
    summarize(
      rows,
      'cold start, processor time: on demand, Redis and DynamoDB declared, neither used at boot',
      'Processor time from process start to first answer, Redis and DynamoDB declared, neither used at boot',
    ),
    summarize(rows, 'import over Nest alone: time', 'Importing the library, beyond Nest itself'),
    summarize(rows, 'bootstrap with 100 declared clients', 'Starting an application that declares 100 clients'),
    summarize(rows, 'shutdown under load: failed responses', 'Requests that fail when the service stops under load'),
  ]
    .filter((line) => line !== undefined)
    .join('\n');
}

/** Undefined for a figure that this run did not measure. */
function summarize(rows, name, words) {
  const row = rows.find(({ figure }) => figure === name);
  if (row === undefined) return undefined;
  const [ours] = String(row.ours).split('<br>');
  return `- **${words}**: ${ours}. Goal: ${row.goal}; ${row.met ? 'met' : 'missed'}.`;
}

function renderMissed(rows) {
  const missed = explain(rows);
  if (missed.length === 0) return '';
  return `## Goals that are missed, and why

Each with what was measured beside it, in the same alternation; differences and ratios are taken run by run.

${missed.join('\n')}

`;
}

/** A line for each missed goal: its limit, and the limit's cause. */
function explain(rows) {
  return rows
    .filter(({ met }) => !met)
    .map(({ figure, goal, why }) => `- **${figure}**, ${goal}: ${why ?? 'no limit is measured.'}`);
}

function renderSection({ id, title, about, details, plot }) {
  const image = plot ? `![${plot.title}](performance/${id}.svg)\n\n` : '';
  return `## ${title}\n\n${about}\n\n${image}${details}\n`;
}

function toCells({ figure, goal, ours, compared, ratio, met }) {
  return [figure, goal, ours, compared, ratio, met ? 'met' : '**missed**'];
}
