import { runApp } from '../harness/child.mjs';
import { count, spread, table } from '../harness/format.mjs';
import { NEST_12 } from '../harness/places.mjs';
import { ratio, summarize } from '../harness/statistics.mjs';

const TITLES = { ours: 'nestjs-clients, with credentials', bare: 'ioredis', again: 'ioredis, once more' };
const PROCESSES = 4;
const COMMANDS = 10_000;

/** Commands a second through a client that is watched and logs in by itself, beside a bare ioredis. */
export default {
  id: 'credentials',

  async measure({ rounds, env }) {
    const series = {};
    // Fresh processes now and then: each compiles its code in its own way.
    for (let process = 0; process < PROCESSES; process++) {
      const run = await runApp(NEST_12, 'credentials.mjs', [rounds(20), COMMANDS], { env });
      for (const [name, figures] of Object.entries(run)) {
        series[name] ??= { perSecond: [], perCpuSecond: [] };
        for (const [figure, values] of Object.entries(figures)) series[name][figure].push(...values);
      }
    }
    return series;
  },

  report(series) {
    const { ours, bare, again } = series;
    const throughput = ratio(ours.perCpuSecond, bare.perCpuSecond);
    const itself = spread(ratio(again.perCpuSecond, bare.perCpuSecond));
    const perSecond = (value) => `${count(value)}/s`;
    const perCpuSecond = (value) => `${count(value)}/CPU s`;
    const both = (values) =>
      `${spread(summarize(values.perCpuSecond), perCpuSecond)}<br>${perSecond(summarize(values.perSecond).median)}`;
    return {
      title: 'Commands through a watched client with credentials',
      about: `GET of one key of a real redis-server, 50 at a time, ${count(COMMANDS)} a run, three clients in turns in one process. The goal is held against commands per second of its processor time, on which what else the machine does has less influence. The bare client is there twice: its ratio to itself is what the measurement can tell.`,
      rows: [
        {
          figure: 'commands through a watched client with `credentials`',
          goal: '>= 0.99 x bare ioredis',
          ours: both(ours),
          compared: `ioredis ${both(bare)}`,
          ratio: `${spread(throughput)}<br>ioredis over itself ${itself}<br>commands a second ${spread(ratio(ours.perSecond, bare.perSecond))}`,
          met: throughput.median >= 0.99,
          why: `a command goes through the driver’s own object in both; a second bare client is at ${itself} of the first.`,
        },
      ],
      details: table(
        ['subject', 'commands a second', 'commands a second of CPU', 'runs'],
        Object.entries(series).map(([name, values]) => [
          TITLES[name],
          spread(summarize(values.perSecond), perSecond),
          spread(summarize(values.perCpuSecond), perCpuSecond),
          count(values.perSecond.length),
        ]),
      ),
    };
  },
};
