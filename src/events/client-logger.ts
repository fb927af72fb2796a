import { Logger } from '@nestjs/common';
import { describeError } from '../errors/redactor.js';
import type { ClientEvent } from './client-event.js';

/** Milliseconds in which a client's troubles of one kind make at most one line. */
const QUIET_TIME = 60_000;

interface Trouble {
  loggedAt: number;
  unlogged: number;
}

/** Logs what an operator wants to know of each client's life, and never more than a line a minute of its trouble. */
export class ClientLogger {
  readonly #logger = new Logger('ClientsModule');
  readonly #troubles = new Map<string, Trouble>();

  log(event: ClientEvent): void {
    const client = `Client "${event.client}"`;
    switch (event.type) {
      case 'created':
        this.#logger.log(`${client} created in ${ms(event.duration)}${event.consumer ? ` for ${event.consumer}` : ''}`);
        break;
      case 'createFailed':
        this.#logTrouble(
          'error',
          `${client} not created after`,
          ` ${ms(event.duration)}: ${describeError(event.error)}`,
        );
        break;
      case 'connected':
        this.#logger.log(`${client} connected in ${ms(event.duration)}`);
        break;
      case 'error':
        this.#logTrouble('warn', `${client} reports:`, ` ${describeError(event.error)}`);
        break;
      case 'closed':
        this.#logger.log(`${client} closed in ${ms(event.duration)}`);
        break;
      case 'closeFailed':
        this.#logger.error(
          `${client} not closed gracefully after ${ms(event.duration)}: ${describeError(event.error)}`,
        );
        break;
      default: // 'creating', 'injected' and 'closing' are for events$: a line each would drown the others.
    }
  }

  /** @param kind whose trouble, and of what kind: what makes at most a line a minute */
  #logTrouble(level: 'warn' | 'error', kind: string, detail: string): void {
    const now = performance.now();
    const trouble = this.#troubles.get(kind);
    if (trouble && now - trouble.loggedAt < QUIET_TIME) {
      trouble.unlogged += 1;
      return;
    }
    const more = trouble?.unlogged ? ` (and ${trouble.unlogged} more since the last such line)` : '';
    this.#troubles.set(kind, { loggedAt: now, unlogged: 0 });
    this.#logger[level](kind + detail + more);
  }
}

function ms(duration: number): string {
  return `${Math.round(duration)} ms`;
}
