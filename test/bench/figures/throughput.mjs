import { startServer } from '../harness/child.mjs';
import { count, spread, table } from '../harness/format.mjs';
import { loadTool } from '../harness/places.mjs';
import { ratio, summarize } from '../harness/statistics.mjs';
import { SUBJECTS } from '../subjects.mjs';

/** The singleton twice: how far apart two servers are that run the same code. */
const COMPARED = { ours: SUBJECTS.ours, singleton: SUBJECTS.singleton, again: SUBJECTS.singleton };
const SECONDS = 1;
const RUNS_PER_PROCESS = 6;

/** Requests a second that read from a real redis-server, over a client at module level. */
export default {
  id: 'throughput',

  async measure({ rounds, env }) {
    const series = { ours: [], singleton: [], again: [] };
    const perCpu = { ours: [], singleton: [], again: [] };
    // Fresh processes now and then: each compiles its code in its own way.
    for (let round = 0; round < rounds(11); round++) {
      const order = Object.entries(COMPARED);
      if (round % 2) order.reverse();
      const servers = {};
      for (const [name, { place, file }] of order) {
        servers[name] = await startServer(place, 'serve.mjs', [`./subjects/redis/${file}`], env);
      }
      try {
        for (let run = -1; run < RUNS_PER_PROCESS; run++) {
          const runs = await Promise.all(order.map(([name]) => serve(servers[name])));
          if (run < 0) continue;
          for (const [index, [name]] of order.entries()) {
            series[name].push(runs[index].perSecond);
            perCpu[name].push(runs[index].perCpuSecond);
          }
        }
      } finally {
        for (const server of Object.values(servers)) await server.stop();
      }
    }
    return { series, perCpu };
  },

  report({ series, perCpu }) {
    const { ours, singleton } = series;
    const throughput = ratio(perCpu.ours, perCpu.singleton);
    const again = spread(ratio(perCpu.again, perCpu.singleton));
    const perSecond = (value) => `${count(value)}/s`;
    const perCpuSecond = (value) => `${count(value)}/CPU s`;
    return {
      title: 'Handler throughput',
      about: `50 connections for ${SECONDS} s a run (autocannon); the handler reads one key from a real redis-server. The servers are loaded at the same time, so that whatever else the machine does slows all of them down; they, the load generator and Redis share the processors, so that requests a second are what is left for each. What a request costs the server’s JavaScript thread depends on that far less: the goal is held against requests per second of its processor time. The singleton is served twice: its ratio to itself is what the measurement can tell.`,
      rows: [
        {
          figure: 'handler throughput',
          goal: '>= 0.99 x module-level singleton',
          ours: `${spread(summarize(perCpu.ours), perCpuSecond)}<br>${perSecond(summarize(ours).median)}`,
          compared: `singleton ${spread(summarize(perCpu.singleton), perCpuSecond)}<br>${perSecond(summarize(singleton).median)}`,
          ratio: `${spread(throughput)}<br>singleton over itself ${again}<br>requests a second ${spread(ratio(ours, singleton))}`,
          met: throughput.median >= 0.99,
          why: `what the handler calls is the driver’s own object in both; a second server of the same singleton is at ${again} of the first, and a difference smaller than that is not one of the code.`,
        },
      ],
      details: table(
        ['subject', 'requests a second', 'requests a second of CPU', 'runs'],
        Object.entries(series).map(([name, values]) => [
          name === 'again' ? `${COMPARED[name].title}, once more` : COMPARED[name].title,
          spread(summarize(values), perSecond),
          spread(summarize(perCpu[name]), perCpuSecond),
          count(values.length),
        ]),
      ),
    };
  },
};

async function serve({ url, cpuSeconds }) {
  const before = cpuSeconds();
  const result = await loadTool('autocannon')({
    url: `${url}/links/1`,
    connections: 50,
    duration: SECONDS,
    sampleInt: 100, // how often it looks whether it is over
  });
  if (result.non2xx || result.errors) throw new Error(`${url}: ${result.non2xx} failed, ${result.errors} unanswered`);
  const answered = result['2xx'];
  return { perSecond: answered / result.duration, perCpuSecond: answered / (cpuSeconds() - before) };
}
