import { alternate } from '../harness/alternate.mjs';
import { ROOMY, runApp } from '../harness/child.mjs';
import { count, ms, number, spread, table } from '../harness/format.mjs';
import { NEST_12 } from '../harness/places.mjs';
import { difference, median, ratio, summarize } from '../harness/statistics.mjs';

const SIZES = [10, 100, 1_000, 10_000];
const SUBJECTS = { ours: 'ours', plain: 'plain', floor: 'floor' };

/** Bootstrap with ever more declared clients, over the same number of plain factory providers. */
export default {
  id: 'scale',

  async measure({ rounds }) {
    const results = {};
    for (const size of SIZES) {
      results[size] = await alternate(SUBJECTS, rounds(10), (kind) =>
        runApp(NEST_12, 'many.mjs', [kind, 'declared', size], { flags: ROOMY }),
      );
    }
    return results;
  },

  report(results) {
    const time = (size, kind) => results[size][kind].time;
    const ratios = Object.fromEntries(SIZES.map((size) => [size, ratio(time(size, 'ours'), time(size, 'plain'))]));
    const floors = Object.fromEntries(SIZES.map((size) => [size, ratio(time(size, 'floor'), time(size, 'plain'))]));
    const [, , thousand, tenThousand] = SIZES;
    const more = (size, kind, other) => ms(difference(time(size, kind), time(size, other)).median);
    const growth = (kind) => median(time(tenThousand, kind)) / median(time(thousand, kind));
    return {
      title: 'Bootstrap with many clients',
      about: `From \`forRoot()\` to the application context, fresh processes; none is injected. Plain: eager factory providers that a global module exports. Floor: transient factory providers that inject what the library’s do, the registry’s module and INQUIRER, in two modules that do nothing: what Nest takes for providers that are built on injection and told by whom, and for modules that open last and close last. As above, with \`${ROOMY.join(' ')}\` for all.`,
      rows: [
        ...SIZES.map((size) => ({
          figure: `bootstrap with ${count(size)} declared clients`,
          goal: '<= 1.1 x plain factory providers',
          ours: spread(summarize(time(size, 'ours')), ms),
          compared: `plain ${spread(summarize(time(size, 'plain')), ms)}<br>floor ${ms(median(time(size, 'floor')))}`,
          ratio: `${spread(ratios[size])}<br>floor ${spread(floors[size])}`,
          met: ratios[size].median <= 1.1,
          why: `providers that Nest builds on injection, and tells by whom, take ${spread(floors[size])} of plain ones when they do nothing, ${more(size, 'floor', 'plain')} more; the library, ${more(size, 'ours', 'floor')} beyond that.`,
        })),
        {
          figure: '… from 1,000 to 10,000',
          goal: 'linear: 10 x, within a tenth',
          ours: `${number(growth('ours'))} x`,
          compared: `plain ${number(growth('plain'))} x`,
          ratio: '',
          met: growth('ours') <= 11,
          why: `plain providers grow by ${number(growth('plain'))} x, the floor by ${number(growth('floor'))} x.`,
        },
      ],
      details: table(
        ['clients', 'nestjs-clients', 'plain providers', 'floor', 'ratio', 'floor’s ratio', 'a client'],
        SIZES.map((size) => [
          count(size),
          spread(summarize(time(size, 'ours')), ms),
          spread(summarize(time(size, 'plain')), ms),
          spread(summarize(time(size, 'floor')), ms),
          spread(ratios[size]),
          spread(floors[size]),
          `${number((median(time(size, 'ours')) * 1e3) / size)} µs`,
        ]),
      ),
      plot: {
        kind: 'lines',
        title: 'Bootstrap with many declared clients',
        unit: 'ms',
        lines: Object.entries({ ours: 'nestjs-clients', plain: 'plain factory providers' }).map(([kind, label]) => ({
          label,
          ours: kind === 'ours',
          points: SIZES.map((size) => ({ x: size, y: median(time(size, kind)) })),
        })),
      },
    };
  },
};
