import { alternate } from '../harness/alternate.mjs';
import { ROOMY, WEIGHING, runApp } from '../harness/child.mjs';
import { count, mb, ms, spread, table } from '../harness/format.mjs';
import { NEST_12 } from '../harness/places.mjs';
import { difference, ratio, summarize } from '../harness/statistics.mjs';

const SUBJECTS = {
  ours: { title: 'Redis, Cluster, DynamoDB and Document declared', file: 'declared.mjs' },
  transient: { title: 'floor: two empty modules and four transient providers', file: 'floor/transient.mjs' },
  modules: { title: 'floor: two empty modules, opened last and closed last', file: 'floor/modules.mjs' },
  plain: { title: 'four plain factory providers that make nothing', file: 'plain.mjs' },
  without: { title: 'without the module', file: 'nothing.mjs' },
};

/** Bootstrap with four clients declared and none injected, over the same service without the module. */
export default {
  id: 'bootstrap',

  async measure({ rounds, env }) {
    const run = ({ file }, flags, ...args) =>
      runApp(NEST_12, 'bootstrap.mjs', [`./subjects/${file}`, ...args], { env, flags });
    const counted = await run(SUBJECTS.ours, [], 'count');
    const series = await alternate(SUBJECTS, rounds(28), (subject) => run(subject, ROOMY));
    const weights = await alternate(SUBJECTS, rounds(3), (subject) => run(subject, WEIGHING));
    return { counted, series, weights };
  },

  report({ counted, series, weights }) {
    const { ours, without } = series;
    const time = ratio(ours.time, without.time);
    const over = (name) => spread(ratio(series[name].time, without.time));
    const more = (name, other) => ms(difference(series[name].time, series[other].time).median);
    const heap = difference(weights.ours.heap, weights.without.heap);
    const sockets = Math.max(...ours.sockets);
    return {
      title: 'Bootstrap with four clients declared and none injected',
      about:
        'From `forRoot()` to the end of `app.init()`, in a fresh process that has loaded Nest and the package; a service of ten features. Process: from the start of the process, imports included. The first floor is what it takes of Nest to open last and close last; the second, to build on injection and be told who injects, as well: as many modules, providers and dependencies as the library has, and they do nothing. The time is taken with `' +
        ROOMY.join(' ') +
        '` for all: whether a collection of the young generation falls into it is chance; what is allocated is in the heap, which is weighed in runs of its own.',
      rows: [
        {
          figure: 'bootstrap, 4 declared, none injected: time',
          goal: '<= 1.03 x without the module',
          ours: spread(summarize(ours.time), ms),
          compared: [
            `without ${spread(summarize(without.time), ms)}`,
            `plain providers ${ms(summarize(series.plain.time).median)}`,
            `two empty modules ${ms(summarize(series.modules.time).median)}`,
            `and transient providers ${ms(summarize(series.transient.time).median)}`,
          ].join('<br>'),
          ratio: [
            spread(time),
            `plain ${over('plain')}`,
            `modules ${over('modules')}`,
            `and transient ${over('transient')}`,
          ].join('<br>'),
          met: time.median <= 1.03,
          why: `two empty modules take ${more('modules', 'without')} of Nest, which is ${over('modules')}; four transient providers in them, ${more('transient', 'modules')} more, ${over('transient')} together; the library, ${more('ours', 'transient')} more, of which \`forRoot()\`, which makes the definitions and checks them, is ${ms(summarize(ours.declaring).median)}.`,
        },
        {
          figure: '… sockets, SDK modules, memory',
          goal: '0, 0, < 1 MB',
          ours: `${sockets}, ${counted.sdkModules}, ${mb(heap.median)}`,
          compared: '',
          ratio: '',
          met: sockets === 0 && counted.sdkModules === 0 && heap.median < 1e6,
        },
      ],
      details: table(
        ['service', 'bootstrap', 'of it `forRoot()`', 'over without', 'process', 'heap', 'sockets'],
        Object.entries(SUBJECTS).map(([name, { title }]) => [
          title,
          spread(summarize(series[name].time), ms),
          name === 'ours' ? spread(summarize(ours.declaring), ms) : '',
          name === 'without' ? '' : over(name),
          spread(summarize(series[name].total), ms),
          spread(summarize(weights[name].heap), mb),
          count(Math.max(...series[name].sockets)),
        ]),
      ),
    };
  },
};
