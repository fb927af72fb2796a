import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';

/** A client's connection to an HTTP server, byte by byte. It is closed when the test ends. */
export class RawConnection {
  /** What the server has sent so far. */
  received = '';
  /** Resolves when the connection has ended, whoever ended it. */
  readonly ended: Promise<void>;

  private constructor(readonly socket: Socket) {
    socket.setEncoding('utf8').on('data', (chunk: string) => (this.received += chunk));
    socket.on('error', () => {}); // tests look at how a connection ends, and expect errors
    this.ended = new Promise((resolve) => void socket.once('close', () => resolve()));
    onTestFinished(() => void socket.destroy());
  }

  static async open(url: string): Promise<RawConnection> {
    const { protocol, hostname, port } = new URL(url);
    const options = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
    if (protocol === 'http:') {
      const socket = connect(options);
      await once(socket, 'connect');
      return new RawConnection(socket);
    }
    const socket = connectTls({ ...options, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return new RawConnection(socket);
  }

  get isOpen(): boolean {
    return this.socket.readyState === 'open';
  }

  /** Resolves when the operating system has taken the bytes. */
  async send(text: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.socket.write(text, () => resolve());
    });
  }

  async sendRequest(path: string, headers = ''): Promise<void> {
    await this.send(requestTo(path, headers));
  }

  /** Resolves when what the server has sent matches. Rejects if the connection ends before. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.received)) {
      const isOver = await Promise.race([once(this.socket, 'data').then(() => false), this.ended.then(() => true)]);
      if (isOver && !pattern.test(this.received)) {
        throw new Error(`the connection ended without ${pattern}:\n${this.received}`);
      }
    }
  }

  /** The status codes of the answers so far. */
  get statuses(): number[] {
    return [...this.received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  }

  /** The "Connection" headers of the answers, in order. */
  get connectionHeaders(): string[] {
    return [...this.received.matchAll(/\r\nconnection: ([\w-]+)\r\n/gi)].map(([, value = '']) => value.toLowerCase());
  }
}

/** The bytes of a request without a body. */
export function requestTo(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
}
