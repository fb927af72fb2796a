import { alternate } from '../harness/alternate.mjs';
import { runApp } from '../harness/child.mjs';
import { count, mb, ms, spread, table } from '../harness/format.mjs';
import { NEST_12 } from '../harness/places.mjs';
import { difference, ratio, summarize } from '../harness/statistics.mjs';

const SUBJECTS = {
  ours: { title: 'Redis, Cluster, DynamoDB and Document declared', file: 'declared.mjs' },
  plain: { title: 'four plain factory providers that make nothing', file: 'plain.mjs' },
  without: { title: 'without the module', file: 'nothing.mjs' },
};

/** Bootstrap with four clients declared and none injected, over the same service without the module. */
export default {
  id: 'bootstrap',

  async measure({ rounds, env }) {
    const run = ({ file }, ...args) => runApp(NEST_12, 'bootstrap.mjs', [`./subjects/${file}`, ...args], env);
    const counted = await run(SUBJECTS.ours, 'count');
    return { counted, series: await alternate(SUBJECTS, rounds(50), (subject) => run(subject)) };
  },

  report({ counted, series: { ours, plain, without } }) {
    const time = ratio(ours.time, without.time);
    const heap = difference(ours.heap, without.heap);
    const sockets = Math.max(...ours.sockets);
    return {
      title: 'Bootstrap with four clients declared and none injected',
      about:
        'From `forRoot()` to the end of `app.init()`, in a fresh process that has loaded Nest and the package; a service of ten features. Process: from the start of the process, imports included.',
      rows: [
        {
          figure: 'bootstrap, 4 declared, none injected: time',
          goal: '<= 1.03 x without the module',
          ours: spread(summarize(ours.time), ms),
          compared: `without ${spread(summarize(without.time), ms)}<br>plain providers ${spread(summarize(plain.time), ms)}`,
          ratio: `${spread(time)}<br>plain over without ${spread(ratio(plain.time, without.time))}`,
          met: time.median <= 1.03,
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
        ['service', 'bootstrap', 'process', 'heap', 'sockets'],
        Object.entries({ ours, plain, without }).map(([name, values]) => [
          SUBJECTS[name].title,
          spread(summarize(values.time), ms),
          spread(summarize(values.total), ms),
          spread(summarize(values.heap), mb),
          count(Math.max(...values.sockets)),
        ]),
      ),
    };
  },
};
