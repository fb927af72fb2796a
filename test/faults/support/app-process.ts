import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inject } from 'vitest';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** On the clock of `performance.now()` of this process. */
  readonly at: number;
}

/** One of `test/faults/apps`, running in a process of its own. */
export interface AppProcess extends AsyncDisposable {
  readonly pid: number;
  /** Every line it has written so far, to its standard output and error. */
  readonly lines: readonly string[];
  /** The messages that it has sent under that word so far. */
  said(word: string): { readonly value: unknown; readonly at: number }[];
  /** The first message under that word, now or later. Rejects if the process ends before. */
  says<T>(word: string): Promise<T>;
  signal(signal: NodeJS.Signals): void;
  readonly exited: Promise<Exit>;
}

export interface AppProcessOptions {
  /** Read by the app from `SETTINGS`. */
  settings?: object;
  nodeOptions?: readonly string[];
}

/** Starts an app, which sends messages with `say` of apps/parent.ts. If it still runs when it is disposed of, it is killed. */
export function startApp(name: string, { settings = {}, nodeOptions = [] }: AppProcessOptions = {}): AppProcess {
  const child = spawn(process.execPath, [...nodeOptions, join(inject('apps'), `${name}.js`)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SETTINGS: JSON.stringify(settings), NO_COLOR: '1' },
  });
  const killWithParent = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithParent);
  const lines: string[] = [];
  const statements: { word: string; value: unknown; at: number }[] = [];
  const listeners = new Set<() => void>();
  const notify = (): void => {
    for (const listener of listeners) listener();
  };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      const [, word, json] = /^@@(\w+) (.*)$/.exec(line) ?? [];
      if (word && json) statements.push({ word, value: JSON.parse(json), at: performance.now() });
      else lines.push(line);
      notify();
    });
  }
  let exit: Exit | undefined;
  let exitedAt = 0;
  child.once('exit', () => (exitedAt = performance.now()));
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      process.off('exit', killWithParent);
      exit = { code, signal, at: exitedAt };
      resolve(exit);
      notify();
    });
  });
  const said = (word: string) => statements.filter((one) => one.word === word);

  return {
    pid: child.pid as number,
    lines,
    said,
    says: <T>(word: string) =>
      new Promise<T>((resolve, reject) => {
        const look = (): void => {
          const [first] = said(word);
          if (first) resolve(first.value as T);
          else if (exit) reject(new Error(`${name} ended with ${exit.code ?? exit.signal}:\n${lines.join('\n')}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
    signal: (signal) => void child.kill(signal),
    exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
