/**
 * Measures this build of the package beside another one, say that of the last release, in turns.
 *
 *   node test/bench/compare.mjs <folder>                    all figures
 *   node test/bench/compare.mjs <folder> closing-built …    these figures only
 *   node test/bench/compare.mjs <folder> --rounds 20        how many pairs, default 7
 *
 * The folder is that of the other package: it has a package.json and a dist. Both run on the same Nest and the same SDKs.
 */
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { alternate } from './harness/alternate.mjs';
import { ROOMY, WEIGHING, runApp } from './harness/child.mjs';
import { bytes, ms, spread, table } from './harness/format.mjs';
import { NEST_12, appIn, preparePlaces } from './harness/places.mjs';
import { ratio, summarize } from './harness/statistics.mjs';

const MANY = 10_000;
const FIGURES = {
  import: { title: 'import', app: 'import.mjs', args: ['./imports/ours.mjs'] },
  bootstrap: { title: 'bootstrap, 4 declared, none injected', app: 'bootstrap.mjs', args: ['./subjects/declared.mjs'] },
  'scale-100': { title: 'bootstrap, 100 declared', app: 'many.mjs', args: ['ours', 'declared', 100] },
  'scale-10000': { title: 'bootstrap, 10,000 declared', app: 'many.mjs', args: ['ours', 'declared', MANY] },
  'closing-idle': { title: 'close 10,000 idle clients', app: 'compare/closing.mjs', args: ['idle', MANY] },
  'closing-built': { title: 'close 10,000 built clients', app: 'compare/closing.mjs', args: ['built', MANY] },
  building: { title: 'build 10,000 clients on one base', app: 'compare/building.mjs', args: [MANY] },
  'building-heap': {
    title: '… heap of each',
    app: 'compare/building.mjs',
    args: [MANY],
    flags: WEIGHING,
    format: bytes,
  },
};
/** What the apps print that is a cost; the rest of it is how they reached it. */
const COSTS = { time: 'wall', cpu: 'processor', heap: 'heap' };

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '7' } },
});
const [folder, ...wanted] = positionals;
if (!folder || !existsSync(join(folder, 'dist/clients.js'))) {
  throw new Error('Give the folder of another build: it has dist/clients.js in it.');
}
const unknown = wanted.find((id) => !(id in FIGURES));
if (unknown) throw new Error(`No figure "${unknown}"; there are: ${Object.keys(FIGURES).join(', ')}`);

preparePlaces((line) => process.stderr.write(`${line}\n`));
const subjects = { ours: '', other: installOther(resolve(folder)) };
const rows = [];
for (const [id, figure] of Object.entries(FIGURES)) {
  if (wanted.length > 0 && !wanted.includes(id)) continue;
  const { title, app, args, flags = ROOMY, format = ms } = figure;
  const { ours, other } = await alternate(subjects, Number(options.rounds), (prefix) =>
    runApp(NEST_12, `${prefix}${app}`, args, { flags }),
  );
  for (const [cost, name] of Object.entries(COSTS)) {
    if (!ours[cost]) continue;
    const cells = [ours, other].map((values) => spread(summarize(values[cost]), format));
    rows.push([`${title}: ${name}`, ...cells, spread(ratio(ours[cost], other[cost]))]);
  }
  process.stderr.write(`${id}\n`);
}
console.log(table(['figure', 'this build', 'the other', 'this over the other'], rows));

/**
 * A folder of the apps inside of which `nestjs-clients` is the other build.
 *
 * @returns its path below the folder of the apps
 */
function installOther(other) {
  const home = appIn(NEST_12, 'node_modules/other');
  rmSync(home, { recursive: true, force: true });
  const installed = join(home, 'node_modules/nestjs-clients');
  mkdirSync(installed, { recursive: true });
  for (const part of ['dist', 'package.json']) cpSync(join(other, part), join(installed, part), { recursive: true });
  for (const part of ['imports', 'subjects', 'compare', 'keyed']) {
    cpSync(appIn(NEST_12, part), join(home, part), { recursive: true });
  }
  for (const part of ['import', 'bootstrap', 'many', 'decorate', 'loaded-modules', 'service', 'settings', 'weigh']) {
    cpSync(appIn(NEST_12, `${part}.mjs`), join(home, `${part}.mjs`));
  }
  return 'node_modules/other/';
}
