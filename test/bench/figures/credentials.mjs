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
    const series = { ours: [], bare: [], again: [] };
    // Fresh processes now and then: each compiles its code in its own way.
    for (let process = 0; process < PROCESSES; process++) {
      const run = await runApp(NEST_12, 'credentials.mjs', [rounds(20), COMMANDS], { env });
      for (const [name, values] of Object.entries(run)) series[name].push(...values);
    }
    return series;
  },

  report(series) {
    const throughput = ratio(series.ours, series.bare);
    const again = spread(ratio(series.again, series.bare));
    const perSecond = (value) => `${count(value)}/s`;
    return {
      title: 'Commands through a watched client with credentials',
      about: `GET of one key of a real redis-server, 50 at a time, ${count(COMMANDS)} a run, three clients in turns in one process. The bare client is there twice: its ratio to itself is what the measurement can tell.`,
      rows: [
        {
          figure: 'commands through a watched client with `credentials`',
          goal: '>= 0.99 x bare ioredis',
          ours: spread(summarize(series.ours), perSecond),
          compared: `ioredis ${spread(summarize(series.bare), perSecond)}`,
          ratio: `${spread(throughput)}<br>ioredis over itself ${again}`,
          met: throughput.median >= 0.99,
          why: `a command goes through the driver’s own object in both; a second bare client is at ${again} of the first.`,
        },
      ],
      details: table(
        ['subject', 'commands a second', 'runs'],
        Object.entries(series).map(([name, values]) => [
          TITLES[name],
          spread(summarize(values), perSecond),
          count(values.length),
        ]),
      ),
    };
  },
};
