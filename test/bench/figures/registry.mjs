import { runApp } from '../harness/child.mjs';
import { ns, spread, table } from '../harness/format.mjs';
import { NEST_12, versionIn } from '../harness/places.mjs';
import { difference, ratio, summarize } from '../harness/statistics.mjs';

const MILLISECONDS = 25;
const PASSES = 8;
const PEEKS = { map: 'bare Map.get', peek: 'registry.peek', lodash: 'lodash.memoize', moize: 'moize' };
const GETS = {
  promise: 'awaited promise at hand, no lookup',
  get: 'registry.get',
  lodashAsync: 'lodash.memoize, async',
  pMemoize: 'p-memoize',
  moizeAsync: 'moize, isPromise',
};

/** What it costs to have a client that is built, from the registry, a Map, or a memoising function. */
export default {
  id: 'registry',

  async measure({ rounds }) {
    const series = {};
    for (let round = 0; round < rounds(10); round++) {
      const results = await runApp(NEST_12, 'registry.mjs', [round % 2, PASSES, MILLISECONDS]);
      for (const [name, values] of Object.entries(results)) (series[name] ??= []).push(...values);
    }
    return series;
  },

  report(series) {
    const row = (figure, goal, ways, own, first, limit) => {
      const summary = ratio(series[own], series[first]);
      const rivals = Object.keys(ways)
        .filter((name) => name !== first && name !== own)
        .map((name) => ({ title: ways[name], time: summarize(series[name]), over: ratio(series[own], series[name]) }));
      const level = rivals.filter(({ over }) => over.q1 <= 1 && over.q3 >= 1);
      const floor = summarize(series[first]);
      return {
        figure,
        goal,
        ours: spread(summarize(series[own]), ns),
        compared: [
          `${ways[first]} ${ns(floor.median)}`,
          ...rivals.map(({ title, time }) => `${title} ${ns(time.median)}`),
        ].join('<br>'),
        ratio: [summary, ...rivals.map(({ over }) => over)].map((over) => spread(over)).join('<br>'),
        met: summary.median <= limit && rivals.every(({ over }) => over.median < 1),
        why:
          [
            `${ways[first]} takes ${spread(floor, ns)}, and what is on top of it ${spread(difference(series[own], series[first]), ns)}`,
            ...level.map(
              ({ title, over }) => `level with ${title}, the quartiles on both sides of one: ${spread(over)}`,
            ),
          ].join('; ') + '.',
      };
    };
    const version = (name) => `${name} ${versionIn(NEST_12, name)}`;
    return {
      title: 'The way to a client that is built',
      about: `mitata, ${MILLISECONDS} ms a way, forwards and backwards in turn, ${PASSES} passes in each of many processes; ratios are of the same pass; ten clients, one asked for; every cache keeps all ten. ${['lodash.memoize', 'p-memoize', 'moize'].map(version).join(', ')}.`,
      rows: [
        row('registry.peek', '<= 2 x Map.get, ahead of the rest', PEEKS, 'peek', 'map', 2),
        row('registry.get', '<= 1.2 x awaited promise, ahead of the rest', GETS, 'get', 'promise', 1.2),
      ],
      details: [
        [PEEKS, 'map', 'peek'],
        [GETS, 'promise', 'get'],
      ]
        .map(([ways, first, own]) =>
          table(
            ['way', 'time', `over ${ways[first]}`, `${ways[own]} over it`],
            Object.entries(ways).map(([name, title]) => [
              title,
              spread(summarize(series[name]), ns),
              name === first ? '' : spread(ratio(series[name], series[first])),
              name === own ? '' : spread(ratio(series[own], series[name])),
            ]),
          ),
        )
        .join('\n\n'),
      plot: {
        kind: 'bars',
        title: 'The way to a client that is built, awaited',
        unit: 'ns',
        bars: Object.entries(GETS).map(([name, label]) => ({
          label,
          ours: name === 'get',
          ...summarize(series[name]),
        })),
      },
    };
  },
};
