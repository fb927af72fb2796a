import { once, EventEmitter } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { listen } from '../../src/testing/listen.js';

const RETRY_INTERVAL = 20;

interface Question {
  readonly resolve: (answer: string) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A client such as an application has for a service of its own: it asks in lines, and reconnects by itself. It emits "up",
 * "down" with the reason, and "error" with an attempt that failed. Its errors show the URL, password and all.
 */
export class LineClient extends EventEmitter {
  #socket: Socket | undefined;
  #opening: Promise<void> | undefined;
  #questions: Question[] = [];
  #awaited = 0;
  #isUp = false;
  #isEnded = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly url: string) {
    super();
  }

  /** Connects, or joins the attempt in progress. Rejects if it fails, and tries again in the background. */
  connect(): Promise<void> {
    if (this.#isEnded) return Promise.reject(this.#error('is closed'));
    clearTimeout(this.#timer);
    return (this.#opening ??= this.#open());
  }

  /** Asks the server; the first question connects. */
  async ask(line: string): Promise<string> {
    this.#awaited += 1;
    try {
      return await this.#ask(line);
    } finally {
      this.#awaited -= 1;
    }
  }

  /** Asks whether the server is there. Closing does not wait for the answer. */
  async ping(): Promise<void> {
    await this.#ask('ping');
  }

  /** Waits for every answer, then closes. */
  async close(): Promise<void> {
    while (this.#awaited > 0 && !this.#isEnded) await setImmediate();
    this.destroy();
  }

  destroy(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    this.#fail(this.#error('is closed'));
  }

  async #ask(line: string): Promise<string> {
    if (this.#isEnded) throw this.#error('is closed');
    if (!this.#isUp) await this.connect();
    return this.#send(line);
  }

  async #open(): Promise<void> {
    const { hostname, port, password } = new URL(this.url);
    const socket = connect(Number(port), hostname);
    this.#socket = socket;
    let reason: Error | undefined;
    socket.on('error', (error) => (reason = error));
    socket.once('close', () => this.#lose(reason ?? new Error('the server hung up')));
    readLines(socket, (answer) => this.#questions.shift()?.resolve(answer));
    const answer = await this.#send(`login ${password}`);
    if (answer !== 'welcome') {
      socket.destroy();
      throw this.#error(answer);
    }
    this.#isUp = true;
    this.emit('up');
  }

  #send(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#questions.push({ resolve, reject });
      this.#socket?.write(`${line}\n`);
    });
  }

  #lose(reason: Error): void {
    const error = this.#error(reason.message);
    this.#fail(error);
    this.#opening = undefined;
    if (this.#isEnded) return;
    this.emit(this.#isUp ? 'down' : 'error', error);
    this.#isUp = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.connect().catch(() => {}), RETRY_INTERVAL);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#questions.splice(0)) reject(error);
  }

  #error(what: string): Error {
    return Object.assign(new Error(`${this.url}: ${what}`), { url: this.url });
  }
}

/** Starts the server of such clients on a free loopback port: it knows one password, and answers each line with itself. */
export async function startLineServer(password: string): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    readLines(socket, (line) => {
      const answer = line.startsWith('login ') ? (line === `login ${password}` ? 'welcome' : 'who are you?') : line;
      socket.write(`${answer}\n`);
    });
  });
  const { port } = await listen(server);
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

function readLines(socket: Socket, take: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) take(line);
  });
}
