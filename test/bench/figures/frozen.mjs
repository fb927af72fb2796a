import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { alternate } from '../harness/alternate.mjs';
import { writeEntry } from '../harness/bundle.mjs';
import { ms, spread, table } from '../harness/format.mjs';
import { median, ratio, summarize } from '../harness/statistics.mjs';
import { SUBJECTS as ALL } from '../subjects.mjs';

/** Milliseconds that the process stands still between two invocations. */
const FROZEN = 200;
const FREEZES = 5;
const SUBJECTS = {
  ours: { ...ALL.ours, title: 'nestjs-clients, injected' },
  onDemand: { ...ALL.ours, title: 'nestjs-clients, asked for on demand', file: 'ours-on-demand.mjs' },
  handWritten: ALL.handWritten,
  singleton: ALL.singleton,
  nestjsModules: ALL.nestjsModules,
};
const STEPS = { first: 'first answer, from the start of the process', next: 'next', thawed: 'after the freeze' };

/** A function as a serverless platform runs it: the application is kept, and the process is frozen between invocations. */
export default {
  id: 'frozen',

  async measure({ rounds, env }) {
    const subjects = {};
    for (const [name, { place, file }] of Object.entries(SUBJECTS)) {
      subjects[name] = writeEntry(place, `frozen-${name}`, `subjects/redis/${file}`, 'invoke');
    }
    return alternate(subjects, rounds(9), (entry) => runFunction(entry, env));
  },

  report(series) {
    const time = (name, step) => spread(summarize(series[name][step]), ms);
    const over = (name, step) => spread(ratio(series.ours[step], series[name][step]));
    const thawed = ratio(series.ours.thawed, series.singleton.thawed);
    return {
      title: 'A function that is frozen between invocations',
      about: `The handler makes the application at its first invocation and keeps it, as on AWS Lambda; it reads from a real redis-server. Before each of the ${FREEZES} invocations after the second the process is stopped for ${FROZEN} ms (SIGSTOP, SIGCONT); what is shown of them is their median.`,
      rows: [
        {
          figure: 'invocation after a freeze',
          goal: '<= 1.1 x a module-level singleton',
          ours: time('ours', 'thawed'),
          compared: `singleton ${time('singleton', 'thawed')}`,
          ratio: spread(thawed),
          met: thawed.median <= 1.1,
          why: 'the command goes through the driver’s own object in both.',
        },
      ],
      details: table(
        ['subject', ...Object.values(STEPS), 'nestjs-clients, injected, over it: first'],
        Object.entries(SUBJECTS).map(([name, { title }]) => [
          title,
          ...Object.keys(STEPS).map((step) => time(name, step)),
          name === 'ours' ? '' : over(name, 'first'),
        ]),
      ),
    };
  },
};

async function runFunction(entry, env) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['--no-warnings', entry], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const ended = exited.then(([code]) => {
    throw new Error(`${entry} ended with ${code}`);
  });
  ended.catch(() => {});
  const answers = createInterface({ input: child.stdout });
  const invoke = async (since = performance.now()) => {
    const answer = once(answers, 'line');
    child.stdin.write('invoke\n');
    await Promise.race([answer, ended]);
    return performance.now() - since;
  };
  try {
    const first = await invoke(startedAt);
    const next = await invoke();
    const thawed = [];
    for (let time = 0; time < FREEZES; time++) {
      child.kill('SIGSTOP');
      await delay(FROZEN);
      child.kill('SIGCONT');
      thawed.push(await invoke());
    }
    return { first, next, thawed: median(thawed) };
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}
