import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { ensureBuilt, MAIN } from './build.js';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Milliseconds from the signal to the end of the process. */
  duration: number;
}

/** The built sample app in a process of its own, as `npm start` runs it. */
export class RunningApp {
  /** Where it listens. */
  url = '';
  /** What it has written so far. */
  output = '';
  private readonly ended: Promise<unknown>;

  private constructor(private readonly child: ChildProcess) {
    // Not 'exit', which may come before the last of the output.
    this.ended = once(child, 'close');
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => (this.output += chunk));
    }
  }

  /** Starts the app on a free port. Resolves when it serves, rejects with its output when it ends before that. */
  static async start(env: Record<string, string> = {}): Promise<RunningApp> {
    await ensureBuilt();
    const { REDIS_URL: _redis, DYNAMODB_ENDPOINT: _dynamodb, ...inherited } = process.env;
    const child = spawn(process.execPath, [MAIN], {
      env: { ...inherited, PORT: '0', NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const app = new RunningApp(child);
    app.url = await app.waitFor(/ready at (http:\S+)/);
    return app;
  }

  /** Resolves with the first group of a pattern once the output matches it. */
  async waitFor(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match[1] ?? match[0];
      const ended = this.ended.then(() => true);
      const more = once(this.child.stdout!, 'data').then(() => false);
      if (await Promise.race([ended, more])) throw new Error(`The app ended without ${pattern}:\n${this.output}`);
    }
  }

  async signal(signal: NodeJS.Signals): Promise<Exit> {
    const sentAt = performance.now();
    this.child.kill(signal);
    await this.ended;
    return { code: this.child.exitCode, signal: this.child.signalCode, duration: performance.now() - sentAt };
  }

  /** Stops the process where it is: its connections stay open, nothing is answered. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  /** Ends the process if it still runs. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.signal('SIGKILL');
  }
}
