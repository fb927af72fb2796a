import { alternate } from '../harness/alternate.mjs';
import { startServer } from '../harness/child.mjs';
import { ms, spread, table } from '../harness/format.mjs';
import { ratio, summarize } from '../harness/statistics.mjs';
import { PEERS, SUBJECTS } from '../subjects.mjs';

const SCENARIOS = {
  'redis-and-dynamodb': 'Redis and DynamoDB declared, the handler uses Redis',
  redis: 'Redis declared, the handler uses it',
};

/** From the start of the process to the first answered request, which goes to the one handler of ten with a client. */
export default {
  id: 'cold-start',

  async measure({ rounds, env }) {
    const results = {};
    for (const scenario of Object.keys(SCENARIOS)) {
      results[scenario] = await alternate(SUBJECTS, rounds(14), async ({ place, file }) => {
        const server = await startServer(place, 'serve.mjs', [`./subjects/${scenario}/${file}`], env);
        try {
          const listening = performance.now() - server.startedAt;
          const response = await fetch(`${server.url}/links/1`);
          await response.text();
          if (response.status !== 200) throw new Error(`${place} ${file} answered ${response.status}`);
          return { listening, answered: performance.now() - server.startedAt };
        } finally {
          await server.stop();
        }
      });
    }
    return results;
  },

  report(results) {
    const answered = (scenario, name) => results[scenario][name].answered;
    const overOurs = (scenario, name) => {
      const ours = SUBJECTS[name].place === SUBJECTS.ours.place ? 'ours' : 'oursOn11';
      return ratio(answered(scenario, ours), answered(scenario, name));
    };
    return {
      title: 'Cold start',
      about:
        'From the start of the process to the first answered request. Ten handlers; the one that is called uses a client, on a real redis-server; the others are not called. Peers that have no DynamoDB have it from aws-sdk-v3-nest. The ratio is nestjs-clients on the same Nest over the subject.',
      rows: Object.entries(SCENARIOS).map(([scenario, title]) => {
        const ratios = Object.keys(PEERS).map((peer) => [peer, overOurs(scenario, peer)]);
        return {
          figure: `cold start: ${title}`,
          goal: 'ahead of every peer',
          ours: `${spread(summarize(answered(scenario, 'ours')), ms)}<br>on Nest 11 ${ms(summarize(answered(scenario, 'oursOn11')).median)}`,
          compared: ratios
            .map(([peer]) => `${SUBJECTS[peer].title} ${ms(summarize(answered(scenario, peer)).median)}`)
            .join('<br>'),
          ratio: ratios.map(([, summary]) => spread(summary)).join('<br>'),
          met: ratios.every(([, summary]) => summary.median < 1),
        };
      }),
      details: Object.entries(SCENARIOS)
        .map(([scenario, title]) =>
          [
            `**${title}**`,
            table(
              ['subject', 'Nest', 'listening', 'first answer', 'nestjs-clients over it'],
              Object.entries(SUBJECTS).map(([name, subject]) => [
                subject.title,
                subject.place.slice(4),
                spread(summarize(results[scenario][name].listening), ms),
                spread(summarize(answered(scenario, name)), ms),
                subject.ours ? '' : spread(overOurs(scenario, name)),
              ]),
            ),
          ].join('\n\n'),
        )
        .join('\n\n'),
      plot: {
        kind: 'bars',
        title: 'Cold start: process start to first answered request',
        subtitle: SCENARIOS['redis-and-dynamodb'],
        unit: 'ms',
        bars: Object.entries(SUBJECTS).map(([name, subject]) => ({
          label: subject.title,
          group: `Nest ${subject.place.slice(4)}`,
          ours: Boolean(subject.ours),
          ...summarize(answered('redis-and-dynamodb', name)),
        })),
      },
    };
  },
};
