import { Agent, request } from 'node:http';

export interface Answer {
  readonly id: string;
  /** On the clock of `performance.now()`. */
  readonly from: number;
  readonly to: number;
  /** The HTTP status, or the code of the error with which the request ended. */
  readonly outcome: number | string;
}

export interface Load {
  readonly answers: readonly Answer[];
  /** Resolves with all answers, once the last request has ended. */
  stop(): Promise<readonly Answer[]>;
  /** The first answer of 2xx to a request that began after that moment. */
  succeeded(after: number): Promise<Answer>;
}

export interface LoadOptions {
  connections: number;
  keepAlive: boolean;
  /** Milliseconds between an answer and the next request of a connection. Default 0. */
  pause?: number;
  /** Milliseconds after which a request without an answer is given up. Default: never. */
  timeout?: number;
}

let requests = 0;

/** Keeps this many connections busy: each sends its next request, with a new id, when it has an answer. */
export function startLoad(url: string, { connections, keepAlive, pause = 0, timeout }: LoadOptions): Load {
  const agent = new Agent({ keepAlive, maxSockets: connections });
  const answers: Answer[] = [];
  const watchers = new Set<(answer: Answer) => void>();
  const stop = new AbortController();

  const send = (): Promise<void> =>
    new Promise((resolve) => {
      requests += 1;
      const id = `request-${requests}`;
      const from = performance.now();
      const finish = (outcome: Answer['outcome']): void => {
        const answer = { id, from, to: performance.now(), outcome };
        answers.push(answer);
        for (const watch of watchers) watch(answer);
        resolve();
      };
      const outgoing = request(`${url}/${id}`, { agent, method: 'POST' }, (incoming) => {
        incoming.resume();
        incoming.once('end', () => finish(incoming.statusCode ?? 0));
        incoming.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
      });
      outgoing.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
      if (timeout)
        outgoing.setTimeout(timeout, () => outgoing.destroy(Object.assign(new Error(), { code: 'TIMEOUT' })));
      outgoing.end();
    });
  const work = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await send();
      const refused = answers.at(-1)?.outcome === 'ECONNREFUSED';
      // The pause also leaves time for everything else when requests are refused at once.
      if (pause > 0 || refused) await new Promise((resolve) => setTimeout(resolve, Math.max(pause, 5)));
    }
  };
  const workers = Promise.all(Array.from({ length: connections }, work));

  return {
    answers,
    async stop() {
      stop.abort();
      await workers;
      agent.destroy();
      return answers;
    },
    succeeded: (after) =>
      new Promise((resolve) => {
        const watch = (answer: Answer): void => {
          if (answer.from < after || !isSuccess(answer)) return;
          watchers.delete(watch);
          resolve(answer);
        };
        watchers.add(watch);
      }),
  };
}

export function isSuccess({ outcome }: Answer): boolean {
  return typeof outcome === 'number' && outcome >= 200 && outcome < 300;
}

/** How often each outcome occurs, for messages. */
export function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of answers) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}
