import { alternate } from '../harness/alternate.mjs';
import { WEIGHING, runApp } from '../harness/child.mjs';
import { bytes, count, mb, spread, table } from '../harness/format.mjs';
import { NEST_12 } from '../harness/places.mjs';
import { median, summarize } from '../harness/statistics.mjs';

const SIZES = [1_000, 5_000, 10_000];
const SUBJECTS = { ours: 'ours', plain: 'plain' };
const WHAT = { declared: 'declared clients', injected: 'classes that inject one client' };

/** The heap that many clients take, and many injections of one. */
export default {
  id: 'memory',

  async measure({ rounds }) {
    const results = {};
    for (const what of Object.keys(WHAT)) {
      results[what] = {};
      for (const size of SIZES) {
        results[what][size] = await alternate(SUBJECTS, rounds(3), (kind) =>
          runApp(NEST_12, 'many.mjs', [kind, what, size], { flags: WEIGHING }),
        );
      }
    }
    return results;
  },

  report(results) {
    const heap = (what, size, kind) => results[what][size][kind].heap;
    const each = (what, kind, from, to) =>
      (median(heap(what, to, kind)) - median(heap(what, from, kind))) / (to - from);
    const [small, middle, large] = SIZES;
    return {
      title: 'Memory',
      about:
        'Heap in use after a collection, over an empty application. Plain: eager factory providers. What is injected is in both cases a class of its own with Nest’s metadata.',
      rows: Object.entries(WHAT).map(([what, title]) => {
        const early = each(what, 'ours', small, middle);
        const late = each(what, 'ours', middle, large);
        return {
          figure: `memory of ${count(large)} ${title}`,
          goal: 'stated, linear',
          ours: `${spread(summarize(heap(what, large, 'ours')), mb)}<br>each ${bytes(early)} up to ${count(middle)}, ${bytes(late)} beyond`,
          compared: `plain ${spread(summarize(heap(what, large, 'plain')), mb)}`,
          ratio: '',
          met: Math.abs(late / early - 1) < 0.2,
        };
      }),
      details: Object.entries(WHAT)
        .map(([what, title]) =>
          table(
            [title, 'nestjs-clients', 'plain providers'],
            SIZES.map((size) => [
              count(size),
              spread(summarize(heap(what, size, 'ours')), mb),
              spread(summarize(heap(what, size, 'plain')), mb),
            ]),
          ),
        )
        .join('\n\n'),
    };
  },
};
