import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { appIn } from './places.mjs';

const SCHEDULED = '/proc/self/schedstat'; // Linux
const readScheduled = (pid) => readFileSync(SCHEDULED.replace('self', pid), 'utf8').split(' ')[0];

/**
 * For runs that take a time of some milliseconds: a young generation that none of them fills. Else a few kB decide whether
 * one more collection of it, of 3 to 4 ms, falls into the time of one subject and not of the other.
 */
export const ROOMY = ['--min-semi-space-size=64', '--max-semi-space-size=64'];
/** For runs that weigh. What a collection leaves to other threads slows down what follows: such runs take no time. */
export const WEIGHING = ['--expose-gc'];

/** Runs an app to its end in a process of its own, and returns the JSON that it prints. */
export async function runApp(place, file, args = [], { env = {}, flags = [] } = {}) {
  const child = spawn(process.execPath, ['--no-warnings', ...flags, appIn(place, file), ...args.map(String)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} in ${place} ended with ${code}`);
  return JSON.parse(output);
}

/**
 * Starts an app that serves HTTP and prints its port. What it complains of while it is shut down is its own affair.
 *
 * @param node the Node.js that runs it
 */
export async function startServer(place, file, args = [], env = {}, node = process.execPath) {
  const startedAt = performance.now();
  const child = spawn(node, ['--no-warnings', appIn(place, file), ...args.map(String)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let complaints = '';
  child.stderr.on('data', (chunk) => (complaints += chunk));
  const failed = exited.then(([code]) => {
    throw new Error(`${file} ${args.join(' ')} in ${place} ended with ${code}: ${complaints}`);
  });
  const [port] = await Promise.race([once(child.stdout, 'data'), failed]);
  failed.catch(() => {});
  return {
    url: `http://127.0.0.1:${Number(port)}`,
    startedAt,
    exited,
    /** Seconds that the server's JavaScript thread has had a processor; where the system does not tell, that have passed. */
    cpuSeconds: () => (existsSync(SCHEDULED) ? Number(readScheduled(child.pid)) / 1e9 : performance.now() / 1e3),
    /** Milliseconds of processor time that the process has had, all threads; where the system does not tell, nothing. */
    processorTime: () => (existsSync(SCHEDULED) ? sumOfThreads(child.pid) / 1e6 : undefined),
    signal: (name) => child.kill(name),
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function sumOfThreads(pid) {
  const tasks = `/proc/${pid}/task`;
  const ofThread = (task) => Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]);
  return readdirSync(tasks).reduce((sum, task) => sum + ofThread(task), 0);
}
