import { Logger } from '@nestjs/common';
import { describeError } from '../redaction/redactor.js';
import type { ClientEvent } from './client-event.js';

/** Milliseconds in which what comes again and again makes at most one line. */
const QUIET_TIME = 60_000;

interface Line {
  loggedAt: number;
  unlogged: number;
}

/** Logs what an operator wants to know of each client's life, and never more than a line a minute of its trouble. */
export class ClientLogger {
  readonly #logger = new Logger('ClientsModule');
  readonly #lines = new Map<string, Line>();
  readonly #closing = new Set<string>();
  /** Clients that have lost their connection, so that the next one is a connection again. */
  readonly #lost = new Set<string>();

  log(event: ClientEvent): void {
    const client = `Client "${event.client}"`;
    const took = 'duration' in event ? `${Math.round(event.duration)} ms` : '';
    const problem = 'error' in event ? describeError(event.error) : '';
    switch (event.type) {
      case 'created': // once, unless it does not get ready and is built again and again
        this.#logSparingly('log', `${client} created in`, event.consumer ? `${took} for ${event.consumer}` : took);
        break;
      case 'createFailed':
        this.#logSparingly('error', `${client} not created after`, `${took}: ${problem}`);
        break;
      case 'connected':
        if (this.#lost.delete(client)) {
          this.#logSparingly('log', `${client} connected again after`, formatSeconds(event.duration));
        } else {
          this.#logSparingly('log', `${client} connected in`, took); // as often as it is created
        }
        break;
      case 'disconnected':
        this.#lost.add(client);
        this.#logSparingly('warn', `${client} lost its connection:`, problem || 'no reason is known');
        break;
      case 'closing':
        this.#closing.add(event.client);
        break;
      case 'closed':
        this.#logger.log(`${client} closed in ${took}`);
        break;
      case 'error':
        this.#logSparingly('warn', `${client} reports:`, problem);
        break;
      case 'closeFailed':
        // The end of the client is worth a line in any case; that of what a failed build has made may come again and again.
        if (this.#closing.has(event.client)) this.#lines.delete(`${client} not closed gracefully after`);
        this.#logSparingly('error', `${client} not closed gracefully after`, `${took}: ${problem}`);
        break;
      default: // 'creating' and 'injected' are for events$: a line each would drown the others.
    }
  }

  /** @param kind of which client, and what: what makes at most a line a minute */
  #logSparingly(level: 'log' | 'warn' | 'error', kind: string, detail: string): void {
    const now = performance.now();
    const last = this.#lines.get(kind);
    if (last && now - last.loggedAt < QUIET_TIME) {
      last.unlogged += 1;
      return;
    }
    const more = last?.unlogged ? ` (and ${last.unlogged} more since the last such line)` : '';
    this.#lines.set(kind, { loggedAt: now, unlogged: 0 });
    this.#logger[level](`${kind} ${detail}${more}`);
  }
}

/** Seconds with one decimal: how long an outage lasted. */
function formatSeconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
