import { alternate } from '../harness/alternate.mjs';
import { WEIGHING, runApp } from '../harness/child.mjs';
import { bytes, count, ms, ns, number, spread, table } from '../harness/format.mjs';
import { NEST_12, versionIn } from '../harness/places.mjs';
import { difference, ratio, summarize } from '../harness/statistics.mjs';

const MILLISECONDS = 15;
const PASSES = 6;
const KEYS = 10_000;
const IDLE_KEYS = 1_000;
const USES = [10_000, 100_000];
const TITLES = {
  map: 'bare Map.get',
  lru: 'lru-cache, get',
  promise: 'awaited promise at hand, no lookup',
  use: 'keyedClients, use',
  promiseOfPromise: 'awaited promise at hand, work returns a promise',
  useOfPromise: 'keyedClients, use, work returns a promise',
  lease: 'keyedClients, lease and release',
  lruFetch: 'lru-cache, fetch',
  rcMap: "Effect's RcMap, a fiber a use",
  rcMapInFiber: "Effect's RcMap, in a fiber that runs",
};
const CACHES = {
  ours: 'keyedClients',
  rcMap: "Effect's RcMap",
  lruFetch: 'lru-cache, fetch and dispose',
  lru: 'lru-cache, get and dispose',
  map: 'bare Map',
};
const WEIGHED = Object.fromEntries(Object.keys(CACHES).map((name) => [name, name]));
const IDLE = { ours: 'ours', rcMap: 'rcMap', lruFetch: 'lruFetch' };
const CHURNED = { ours: 'ours', lruFetch: 'lruFetch', lru: 'lru' };

/** A client for each key: use, memory, the end of idle ones, and many keys in little room. */
export default {
  id: 'keyed',

  async measure({ rounds }) {
    const use = {};
    for (let round = 0; round < rounds(10); round++) {
      const results = await runApp(NEST_12, 'keyed/use.mjs', [round % 2, PASSES, MILLISECONDS]);
      for (const [name, values] of Object.entries(results)) (use[name] ??= []).push(...values);
    }
    const run = (app, argument, options) => (name) => runApp(NEST_12, `keyed/${app}.mjs`, [name, argument], options);
    const memory = await alternate(WEIGHED, rounds(3), run('memory', KEYS, { flags: WEIGHING }));
    const idle = await alternate(IDLE, rounds(10), run('idle', IDLE_KEYS));
    // Both sizes in the same round, so that their ratio is one of neighbours.
    const churn = await alternate(CHURNED, rounds(7), async (name) => {
      const [few, many] = [await run('churn', USES[0])(name), await run('churn', USES[1])(name)];
      return { fewTime: few.time, fewCpu: few.cpu, time: many.time, cpu: many.cpu, created: many.created };
    });
    return { use, memory, idle, churn };
  },

  report({ use, memory, idle, churn }) {
    const over = (name, other) => ratio(use[name], use[other]);
    const time = (name) => summarize(use[name]);
    const growth = (name) => ratio(churn[name].cpu, churn[name].fewCpu);
    const each = (name) => summarize(churn[name].cpu.map((value) => (value * 1e3) / USES[1]));
    const us = (value) => `${number(value)} µs`;
    const rcMaps = ['rcMap', 'rcMapInFiber'];
    return {
      title: 'A client for each key',
      about: `\`keyedClients\` beside Effect's RcMap (effect ${versionIn(NEST_12, 'effect')}), lru-cache ${versionIn(NEST_12, 'lru-cache')} with a dispose hook, and a bare Map. Use: mitata, ${MILLISECONDS} ms a way, forwards and backwards in turn, ${PASSES} passes in each of many processes, one of 1,000 keys; ratios are of the same pass; the work is a function that does nothing, synchronous unless said otherwise. keyedClients and RcMap hold a client while it is used; lru-cache and Map do not, and close it in the middle of its use. The others in processes of their own, in turns; processor time is that of the whole process.`,
      rows: [
        {
          figure: '`use` of a key that is built',
          goal: '<= 2 x an awaited promise',
          ours: spread(time('use'), ns),
          compared: `promise ${spread(time('promise'), ns)}<br>work returns a promise: ${ns(time('useOfPromise').median)}, promise ${ns(time('promiseOfPromise').median)}`,
          ratio: `${spread(over('use', 'promise'))}<br>work returns a promise: ${spread(over('useOfPromise', 'promiseOfPromise'))}`,
          met: over('use', 'promise').median <= 2,
          why: `\`use\` is ${spread(difference(use.use, use.promise), ns)} more: an asynchronous function of its own, the look-up, the release, and the clock that tells since when a client is idle.`,
        },
        {
          figure: '`use` of a key that is built, beside RcMap',
          goal: 'ahead',
          ours: spread(time('use'), ns),
          compared: rcMaps.map((name) => `${TITLES[name]} ${ns(time(name).median)}`).join('<br>'),
          ratio: rcMaps.map((name) => spread(over('use', name))).join('<br>'),
          met: rcMaps.every((name) => over('use', name).median < 1),
        },
        {
          figure: `memory of ${count(KEYS)} keys, each`,
          goal: 'less than RcMap',
          ours: spread(summarize(memory.ours.each), bytes),
          compared: `RcMap ${bytes(summarize(memory.rcMap.each).median)}<br>lru-cache ${bytes(summarize(memory.lru.each).median)}`,
          ratio: spread(ratio(memory.ours.each, memory.rcMap.each)),
          met: summarize(memory.ours.each).median < summarize(memory.rcMap.each).median,
        },
        {
          figure: `from idle to closed, over idleTimeout, ${count(IDLE_KEYS)} keys`,
          goal: '<= 25 ms for the last',
          ours: `first ${ms(summarize(idle.ours.first).median)}, last ${spread(summarize(idle.ours.last), ms)}`,
          compared: `RcMap ${spread(summarize(idle.rcMap.last), ms)}<br>lru-cache ${spread(summarize(idle.lruFetch.last), ms)}`,
          ratio: '',
          met: summarize(idle.ours.last).median <= 25,
          why: 'clients that become idle together close together, in one turn of one timer.',
        },
        {
          figure: `uses over 1,000 keys with \`max\` 100, from ${count(USES[0])} to ${count(USES[1])}: processor time`,
          goal: 'linear: 10 x, within a tenth',
          ours: `${us(each('ours').median)} a use`,
          compared: `lru-cache, fetch ${us(each('lruFetch').median)}`,
          ratio: `${spread(growth('ours'))} x<br>lru-cache, fetch ${spread(growth('lruFetch'))} x`,
          met: growth('ours').median <= 11,
          why: `lru-cache grows by ${spread(growth('lruFetch'))} x in the same rounds.`,
        },
      ],
      details: [
        table(
          ['way', 'time', 'over an awaited promise', 'keyedClients over it'],
          Object.entries(TITLES).map(([name, title]) => [
            title,
            spread(time(name), ns),
            name === 'promise' ? '' : spread(over(name, 'promise')),
            name === 'use' ? '' : spread(over('use', name)),
          ]),
        ),
        table(
          ['cache', `heap a key, of ${count(KEYS)}`, 'idle to closed, first', 'last', 'processor time'],
          Object.entries(CACHES).map(([name, title]) => [
            title,
            spread(summarize(memory[name].each), bytes),
            ...(idle[name]
              ? ['first', 'last', 'cpu'].map((figure) => spread(summarize(idle[name][figure]), ms))
              : ['', '', '']),
          ]),
        ),
        table(
          [
            '1,000 keys, `max` 100',
            ...USES.map((uses) => `${count(uses)} uses, CPU`),
            'wall',
            'growth',
            'a use',
            'built',
          ],
          Object.entries(churn).map(([name, values]) => [
            CACHES[name],
            spread(summarize(values.fewCpu), ms),
            spread(summarize(values.cpu), ms),
            spread(summarize(values.time), ms),
            `${spread(growth(name))} x`,
            spread(each(name), us),
            count(summarize(values.created).median),
          ]),
        ),
        'RcMap is not in the last table: when it is full, it fails with idle clients in it.',
      ].join('\n\n'),
    };
  },
};
