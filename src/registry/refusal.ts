import { ClientsClosedError } from '../errors/clients-closed.error.js';
import { within } from './deadline.js';

/** Lets go of whoever waits for a client that will not be had any more. */
export class Refusal {
  readonly #waiting = new Set<() => void>();
  /** Whether there is nothing to wait for any more. */
  isGiven = false;

  /** Refuses all that wait. */
  give(): void {
    this.isGiven = true;
    for (const refuse of this.#waiting) refuse();
  }

  /** Settles as `within` does, or rejects with `CLIENTS_CLOSED` as soon as the refusal is given. */
  async within<T>(client: string, timeout: number, work: () => T | Promise<T>, late?: () => T): Promise<T> {
    let refuse: (() => void) | undefined;
    const refused = new Promise<never>((_, reject) => {
      refuse = () => reject(new ClientsClosedError(client));
      this.#waiting.add(refuse);
    });
    try {
      return await within(timeout, () => Promise.race([work(), refused]), late);
    } finally {
      if (refuse) this.#waiting.delete(refuse);
    }
  }
}
