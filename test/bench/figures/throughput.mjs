import { startServer } from '../harness/child.mjs';
import { count, spread, table } from '../harness/format.mjs';
import { loadTool } from '../harness/places.mjs';
import { ratio, summarize } from '../harness/statistics.mjs';
import { SUBJECTS } from '../subjects.mjs';

const COMPARED = ['ours', 'singleton'];
const SECONDS = 1;
const RUNS_PER_PROCESS = 12;

/** Requests a second that read from a real redis-server, over a client at module level. */
export default {
  id: 'throughput',

  async measure({ rounds, env }) {
    const series = { ours: [], singleton: [] };
    const perCpu = { ours: [], singleton: [] };
    // Fresh processes now and then: each compiles its code in its own way.
    for (let round = 0; round < rounds(5); round++) {
      const servers = {};
      for (const name of COMPARED) {
        const { place, file } = SUBJECTS[name];
        servers[name] = await startServer(place, 'serve.mjs', [`./subjects/redis/${file}`], env);
      }
      try {
        for (let run = -1; run < RUNS_PER_PROCESS; run++) {
          const order = (round + run) % 2 ? COMPARED : COMPARED.toReversed();
          for (const name of order) {
            const before = servers[name].cpuSeconds();
            const { answered, seconds } = await load(`${servers[name].url}/links/1`);
            if (run < 0) continue;
            series[name].push(answered / seconds);
            perCpu[name].push(answered / (servers[name].cpuSeconds() - before));
          }
        }
      } finally {
        for (const server of Object.values(servers)) await server.stop();
      }
    }
    return { series, perCpu };
  },

  report({ series: { ours, singleton }, perCpu }) {
    const throughput = ratio(perCpu.ours, perCpu.singleton);
    const perSecond = (value) => `${count(value)}/s`;
    const perCpuSecond = (value) => `${count(value)}/CPU s`;
    return {
      title: 'Handler throughput',
      about: `50 connections for ${SECONDS} s a run (autocannon); the handler reads one key from a real redis-server. Server, load generator and Redis share the processors, so that requests a second vary a lot from run to run; what a request costs the server’s JavaScript thread does not. The goal is held against requests per second of its processor time.`,
      rows: [
        {
          figure: 'handler throughput',
          goal: '>= 0.99 x module-level singleton',
          ours: `${spread(summarize(perCpu.ours), perCpuSecond)}<br>${perSecond(summarize(ours).median)}`,
          compared: `singleton ${spread(summarize(perCpu.singleton), perCpuSecond)}<br>${perSecond(summarize(singleton).median)}`,
          ratio: `${spread(throughput)}<br>requests a second ${spread(ratio(ours, singleton))}`,
          met: throughput.median >= 0.99,
        },
      ],
      details: table(
        ['subject', 'requests a second', 'requests a second of CPU', 'runs'],
        Object.entries({ ours, singleton }).map(([name, values]) => [
          SUBJECTS[name].title,
          spread(summarize(values), perSecond),
          spread(summarize(perCpu[name]), perCpuSecond),
          count(values.length),
        ]),
      ),
    };
  },
};

async function load(url) {
  const result = await loadTool('autocannon')({ url, connections: 50, duration: SECONDS });
  if (result.non2xx || result.errors) throw new Error(`${url}: ${result.non2xx} failed, ${result.errors} unanswered`);
  return { answered: result['2xx'], seconds: result.duration };
}
