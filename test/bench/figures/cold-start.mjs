import { alternate } from '../harness/alternate.mjs';
import { startServer } from '../harness/child.mjs';
import { ms, spread, table } from '../harness/format.mjs';
import { ratio, summarize } from '../harness/statistics.mjs';
import { PEERS, SUBJECTS } from '../subjects.mjs';

const SCENARIOS = {
  'redis-and-dynamodb': { title: 'Redis and DynamoDB declared, the handler uses Redis', runs: 11 },
  // The same driver is loaded by all, so that they are closer to each other.
  redis: { title: 'Redis declared, the handler uses it', runs: 17 },
};

/** From the start of the process to the first answered request, which goes to the one handler of ten with a client. */
export default {
  id: 'cold-start',

  async measure({ rounds, env }) {
    const results = {};
    for (const [scenario, { runs }] of Object.entries(SCENARIOS)) {
      results[scenario] = await alternate(SUBJECTS, rounds(runs), async ({ place, file }) => {
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
    const on12 = (name) => SUBJECTS[name].place === SUBJECTS.ours.place;
    const overOurs = (scenario, name) =>
      ratio(answered(scenario, on12(name) ? 'ours' : 'oursOn11'), answered(scenario, name));
    /** What can be had with no library at all. */
    const limit = (scenario, peer) =>
      ratio(answered(scenario, on12(peer) ? 'handWritten' : 'handWrittenOn11'), answered(scenario, peer));
    return {
      title: 'Cold start',
      about:
        'From the start of the process to the first answered request. Ten handlers; the one that is called uses a client, on a real redis-server; the others are not called. Peers that have no DynamoDB have it from aws-sdk-v3-nest. The ratio is nestjs-clients on the same Nest over the subject.',
      rows: Object.entries(SCENARIOS).map(([scenario, { title }]) => {
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
          why: ratios
            .filter(([, summary]) => summary.median >= 1)
            .map(
              ([peer, summary]) =>
                `${SUBJECTS[peer].title}: nestjs-clients is at ${spread(summary)} of it, and hand-written providers, without any library, at ${spread(limit(scenario, peer))}; both load the same driver before they answer.`,
            )
            .join(' '),
        };
      }),
      details: Object.entries(SCENARIOS)
        .map(([scenario, { title }]) =>
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
        subtitle: SCENARIOS['redis-and-dynamodb'].title,
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
