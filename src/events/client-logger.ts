import { Logger } from '@nestjs/common';
import { ClientsClosedError } from '../errors/clients-closed.error.js';
import { describeKey } from '../errors/describe-key.js';
import { describeError } from '../errors/describe-error.js';
import type { ClientEvent } from './client-event.js';

/** Milliseconds in which a repeated event is logged once. */
const QUIET_TIME = 60_000;
const NOT_CLOSED = 'not closed gracefully after';

interface Line {
  loggedAt: number;
  unlogged: number;
}

/** Logs each client's life for an operator. A problem that repeats is logged at most once a minute. */
export class ClientLogger {
  readonly #logger = new Logger('ClientsModule');
  readonly #lines = new Map<string, Line>();
  readonly #closing = new Set<string>();
  /** Clients that have lost their connection, whose next connection is logged as "connected again". */
  readonly #lost = new Set<string>();

  log(event: ClientEvent): void {
    const client = `Client "${event.client}"`;
    const took = 'duration' in event ? `${Math.round(event.duration)} ms` : '';
    const problem = 'error' in event && event.error ? describeError(event.error) : '';
    switch (event.type) {
      case 'created': // once, unless it does not get ready and is built again and again
        this.#logSparingly('log', event, 'created in', event.consumer ? `${took} for ${event.consumer}` : took);
        break;
      case 'createFailed':
        this.#lost.delete(nameOf(event)); // the next build's connection is a first one
        // A build that shutdown cuts off has not failed.
        if (event.error instanceof ClientsClosedError) break;
        this.#logSparingly('error', event, 'not created after', `${took}: ${problem}`);
        break;
      case 'connected':
        if (this.#lost.delete(nameOf(event))) {
          this.#logSparingly('log', event, 'connected again after', formatSeconds(event.duration));
        } else {
          this.#logSparingly('log', event, 'connected in', took); // as often as it is created
        }
        break;
      case 'disconnected':
        this.#lost.add(nameOf(event));
        this.#logSparingly('warn', event, 'lost its connection:', problem || 'no reason is known');
        break;
      case 'closing':
        if (event.key === undefined) this.#closing.add(event.client);
        break;
      case 'closed':
        this.#lost.delete(nameOf(event));
        if (event.key === undefined) this.#logger.log(`${client} closed in ${took}`);
        else this.#logSparingly('log', event, 'closed in', took); // keyed clients come and go
        break;
      case 'error':
        this.#logSparingly('warn', event, 'reports:', problem);
        break;
      case 'closeFailed':
        this.#lost.delete(nameOf(event));
        // The end of the client is worth a line in any case; that of what a failed build has made may come again and again.
        if (this.#closing.has(event.client)) this.#lines.delete(`${event.client} ${NOT_CLOSED}`);
        this.#logSparingly('error', event, NOT_CLOSED, `${took}: ${problem}`);
        break;
      default: // 'creating' and 'injected' are for events$: a line each would drown the others.
    }
  }

  /** At most one line a minute of each kind, for all keyed clients of one name together. */
  #logSparingly(level: 'log' | 'warn' | 'error', event: ClientEvent, kind: string, detail: string): void {
    const now = performance.now();
    const topic = `${event.client} ${event.key === undefined ? '' : 'of a key '}${kind}`;
    const last = this.#lines.get(topic);
    if (last && now - last.loggedAt < QUIET_TIME) {
      last.unlogged += 1;
      return;
    }
    const more = last?.unlogged ? ` (and ${last.unlogged} more since the last such line)` : '';
    this.#lines.set(topic, { loggedAt: now, unlogged: 0 });
    this.#logger[level](`${nameOf(event)} ${kind} ${detail}${more}`);
  }
}

/** How a line names the client. */
function nameOf({ client, key }: ClientEvent): string {
  return key === undefined ? `Client "${client}"` : `Client "${client}" (key ${describeKey(key)})`;
}

/** Seconds with one decimal: how long an outage lasted. */
function formatSeconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
