import { runApp } from '../harness/child.mjs';
import { ns, spread, table } from '../harness/format.mjs';
import { NEST_12, versionIn } from '../harness/places.mjs';
import { ratio, summarize } from '../harness/statistics.mjs';

const MILLISECONDS = 300;
const PEEKS = { map: 'bare Map.get', peek: 'registry.peek', lodash: 'lodash.memoize', moize: 'moize' };
const GETS = {
  promise: 'awaited cached promise',
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
    for (let round = 0; round < rounds(14); round++) {
      const results = await runApp(NEST_12, 'registry.mjs', [round % 2, MILLISECONDS]);
      for (const [name, value] of Object.entries(results)) (series[name] ??= []).push(value);
    }
    return series;
  },

  report(series) {
    const peek = ratio(series.peek, series.map);
    const get = ratio(series.get, series.promise);
    const others = (ways, first, own) => Object.keys(ways).filter((name) => name !== first && name !== own);
    const row = (figure, goal, ways, own, first, summary, limit) => {
      const peers = others(ways, first, own);
      const median = (name) => summarize(series[name]).median;
      return {
        figure,
        goal,
        ours: spread(summarize(series[own]), ns),
        compared: [first, ...peers].map((name) => `${ways[name]} ${ns(median(name))}`).join('<br>'),
        ratio: spread(summary),
        met: summary.median <= limit && peers.every((name) => median(own) < median(name)),
      };
    };
    const version = (name) => `${name} ${versionIn(NEST_12, name)}`;
    return {
      title: 'The way to a client that is built',
      about: `mitata, ${MILLISECONDS} ms a way, each round in a fresh process, forwards and backwards in turn; ten clients, one asked for; every cache keeps all ten. ${['lodash.memoize', 'p-memoize', 'moize'].map(version).join(', ')}.`,
      rows: [
        row('registry.peek', '<= 2 x Map.get, ahead of the rest', PEEKS, 'peek', 'map', peek, 2),
        row('registry.get', '<= 1.2 x awaited promise, ahead of the rest', GETS, 'get', 'promise', get, 1.2),
      ],
      details: [
        [PEEKS, 'map'],
        [GETS, 'promise'],
      ]
        .map(([ways, first]) =>
          table(
            ['way', 'time', `over ${ways[first]}`],
            Object.entries(ways).map(([name, title]) => [
              title,
              spread(summarize(series[name]), ns),
              name === first ? '' : spread(ratio(series[name], series[first])),
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
