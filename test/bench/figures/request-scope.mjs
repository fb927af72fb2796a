import { WEIGHING, runApp } from '../harness/child.mjs';
import { number, spread, table } from '../harness/format.mjs';
import { NEST_12 } from '../harness/places.mjs';
import { ratio, summarize } from '../harness/statistics.mjs';

const TITLES = {
  default: 'default-scoped provider',
  transient: "transient provider that returns a constant: Nest's own floor",
  ours: 'client of nestjs-clients',
};
const PROCESSES = 3;

/** What a request-scoped class pays for injecting a client, over injecting a default-scoped provider. */
export default {
  id: 'request-scope',

  async measure({ rounds }) {
    const series = {};
    for (let process = 0; process < PROCESSES; process++) {
      const results = await runApp(NEST_12, 'request-scope.mjs', [rounds(30)], { flags: WEIGHING });
      for (const [name, values] of Object.entries(results)) (series[name] ??= []).push(...values);
    }
    return series;
  },

  report(series) {
    const us = (value) => `${number(value)} µs`;
    const ours = ratio(series.ours, series.default);
    const floor = ratio(series.transient, series.default);
    return {
      title: 'Request-scoped consumers',
      about: 'One `app.resolve()` of a request-scoped class with one dependency; means of 3,000, in alternation.',
      rows: [
        {
          figure: "a request-scoped consumer's resolve",
          goal: '<= 2.0 x default-scoped provider',
          ours: spread(summarize(series.ours), us),
          compared: `default-scoped ${us(summarize(series.default).median)}<br>transient (floor) ${us(summarize(series.transient).median)}`,
          ratio: `${spread(ours)}<br>floor ${spread(floor)}`,
          met: ours.median <= 2,
        },
      ],
      details: table(
        ['dependency', 'resolve', 'over default-scoped'],
        Object.entries(TITLES).map(([name, title]) => [
          title,
          spread(summarize(series[name]), us),
          name === 'default' ? '' : spread(ratio(series[name], series.default)),
        ]),
      ),
    };
  },
};
