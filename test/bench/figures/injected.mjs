import { alternate } from '../harness/alternate.mjs';
import { ROOMY, runApp } from '../harness/child.mjs';
import { ms, spread, table } from '../harness/format.mjs';
import { NEST_12 } from '../harness/places.mjs';
import { difference, median, ratio, summarize } from '../harness/statistics.mjs';

const SUBJECTS = {
  ours: { title: 'nestjs-clients', file: 'ours.mjs' },
  handWritten: { title: 'hand-written, importing lazily', file: 'hand-written-lazy.mjs' },
};

/** Bootstrap with Redis and DynamoDB injected, over hand-written providers that import their SDK lazily. */
export default {
  id: 'injected',

  measure: ({ rounds, env }) =>
    alternate(SUBJECTS, rounds(36), ({ file }) =>
      runApp(NEST_12, 'bootstrap.mjs', [`./subjects/injected/${file}`], { env, flags: ROOMY }),
    ),

  report({ ours, handWritten }) {
    const time = ratio(ours.time, handWritten.time);
    const overlap = summarize(ours.overlap);
    return {
      title: 'Bootstrap with Redis and DynamoDB injected',
      about:
        'As above; both SDKs are loaded during bootstrap. Hand-written: `useFactory: async () => { const { Redis } = await import(…) … }`.',
      rows: [
        {
          figure: 'bootstrap, Redis and DynamoDB injected',
          goal: '<= 1.03 x hand-written lazy providers',
          ours: spread(summarize(ours.time), ms),
          compared: `hand-written ${spread(summarize(handWritten.time), ms)}`,
          ratio: spread(time),
          met: time.median <= 1.03,
          why: `the library takes ${spread(difference(ours.time, handWritten.time), ms)} more, of which \`forRoot()\`, where no SDK is loaded, is ${ms(median(ours.declaring))}; 3 % of the hand-written bootstrap is ${ms(median(handWritten.time) * 0.03)}.`,
        },
        {
          figure: '… SDKs load side by side',
          goal: 'yes',
          ours: `both under way for ${spread(overlap, ms)}`,
          compared: '',
          ratio: '',
          met: overlap.q1 > 0,
        },
      ],
      details: table(
        ['service', 'bootstrap', 'process'],
        Object.entries({ ours, handWritten }).map(([name, values]) => [
          SUBJECTS[name].title,
          spread(summarize(values.time), ms),
          spread(summarize(values.total), ms),
        ]),
      ),
    };
  },
};
