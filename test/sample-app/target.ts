import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A link's target: it keeps the requests that it gets until the test answers them. */
export class Target {
  readonly requests: { method: string; path: string; response: ServerResponse }[] = [];
  private readonly server: Server = createServer((request, response) => {
    this.requests.push({ method: request.method!, path: request.url!, response });
    if (this.answering) response.end();
    this.server.emit('asked');
  });

  answering = true;

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  asked(): Promise<unknown> {
    return once(this.server, 'asked');
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
