import { setTimeout as delay } from 'node:timers/promises';
import { alternate } from '../harness/alternate.mjs';
import { startServer } from '../harness/child.mjs';
import { count, ms, table } from '../harness/format.mjs';
import { load } from '../harness/load.mjs';
import { summarize } from '../harness/statistics.mjs';
import { PEERS, SUBJECTS } from '../subjects.mjs';

const CONNECTIONS = 50;
const WARM_UP = 1_000;
/** Milliseconds after the signal in which requests still come: Nest 11 serves open connections for as long as they do. */
const LOAD_AFTER = 1_000;

/** SIGTERM while 50 connections are busy: how many responses fail. Each subject closes in its own way. */
export default {
  id: 'shutdown-under-load',

  measure: ({ rounds, env }) =>
    alternate(SUBJECTS, rounds(3), async ({ place, file }) => {
      const server = await startServer(place, 'serve.mjs', [`./subjects/redis/${file}`], env);
      try {
        const [shutdown, stop] = [new AbortController(), new AbortController()];
        const signals = { shutdown: shutdown.signal, stop: stop.signal };
        const counting = load(`${server.url}/links/1/visit`, CONNECTIONS, signals);
        await delay(WARM_UP);
        shutdown.abort();
        server.signal('SIGTERM');
        const signalledAt = performance.now();
        await Promise.race([server.exited, delay(LOAD_AFTER)]);
        stop.abort();
        const [counts, [code]] = await Promise.all([counting, server.exited]);
        return { ...counts, exit: performance.now() - signalledAt, crashed: code ? 1 : 0 };
      } finally {
        await server.stop();
      }
    }),

  report(results) {
    const failures = (name) => results[name].failed.map((failed, run) => failed + results[name].lost[run]);
    const most = (name) => Math.max(...failures(name));
    const compared = ['handWritten', 'singleton', ...Object.keys(PEERS)];
    return {
      title: 'Shutdown under load',
      about: `${CONNECTIONS} keep-alive connections; each request does two Redis commands with 10 ms between them; SIGTERM after ${WARM_UP} ms, and requests for ${LOAD_AFTER} ms more. Failed: answered with a status of 500 or more, or sent before the signal and never answered. Cut: sent after the signal on a connection that Node's \`server.close()\` was closing as idle; it befalls the singleton as well, whose client nobody closes. Crashed: exited with an error code. Hand-written: \`quit()\` in \`onModuleDestroy\`, as Nest's documentation closes connections; the singleton is never closed.`,
      rows: [
        {
          figure: 'shutdown under load: failed responses',
          goal: '0',
          ours: `${most('ours')}<br>on Nest 11 ${most('oursOn11')}`,
          compared: compared.map((name) => `${SUBJECTS[name].title} ${failures(name).join(', ')}`).join('<br>'),
          ratio: '',
          met: most('ours') === 0 && most('oursOn11') === 0,
        },
      ],
      details: table(
        ['subject', 'Nest', 'failed, by run', 'cut, by run', 'crashed', 'answered', 'SIGTERM to exit'],
        Object.entries(SUBJECTS).map(([name, { title, place }]) => [
          title,
          place.slice(4),
          failures(name).join(', '),
          results[name].cut.join(', '),
          count(results[name].crashed.reduce((sum, crashed) => sum + crashed, 0)),
          count(summarize(results[name].answered).median),
          ms(summarize(results[name].exit).median),
        ]),
      ),
      plot: {
        kind: 'bars',
        title: 'Failed responses at shutdown under load',
        subtitle: `${CONNECTIONS} connections, SIGTERM`,
        unit: '',
        bars: Object.entries(SUBJECTS).map(([name, { title, place, ours }]) => ({
          label: title,
          group: `Nest ${place.slice(4)}`,
          ours: Boolean(ours),
          ...summarize(failures(name)),
        })),
      },
    };
  },
};
