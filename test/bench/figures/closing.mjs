import { alternate } from '../harness/alternate.mjs';
import { runApp } from '../harness/child.mjs';
import { ms, spread, table } from '../harness/format.mjs';
import { NEST_12 } from '../harness/places.mjs';
import { summarize } from '../harness/statistics.mjs';

const EACH = 50;
const SHAPES = {
  independent: { title: `100 independent clients of ${EACH} ms`, count: 100, limit: 100 },
  chain: { title: `a chain of 10 clients of ${EACH} ms`, count: 10, limit: 10 * EACH + 50 },
};

/** How long shutdown takes: independent clients in parallel, dependents one after the other. */
export default {
  id: 'closing',

  measure: ({ rounds }) =>
    alternate(SHAPES, rounds(15), ({ count }, shape) => runApp(NEST_12, 'closing.mjs', [shape, count, EACH])),

  report(results) {
    const shapes = Object.entries(SHAPES).map(([shape, rest]) => ({ ...rest, time: summarize(results[shape].time) }));
    return {
      title: 'Shutdown',
      about: '`app.close()` of an application context; each `close()` waits on a timer, and the order is verified.',
      rows: shapes.map(({ title, limit, time }) => ({
        figure: `shutdown of ${title}`,
        goal: `<= ${limit} ms`,
        ours: spread(time, ms),
        compared: '',
        ratio: '',
        met: time.median <= limit,
      })),
      details: table(
        ['clients', 'app.close()'],
        shapes.map(({ title, time }) => [title, spread(time, ms)]),
      ),
    };
  },
};
