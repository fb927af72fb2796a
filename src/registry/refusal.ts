import { within } from './deadline.js';

/** Lets go of whoever waits for something that will not be had any more. */
export class Refusal {
  readonly #waiting = new Set<() => void>();
  #given = false;

  /** Whether there is nothing to wait for any more. */
  get isGiven(): boolean {
    return this.#given;
  }

  /** Refuses all that wait. */
  give(): void {
    this.#given = true;
    for (const refuse of this.#waiting) refuse();
  }

  /** Settles as `within` does, or rejects with what `why` returns as soon as the refusal is given. */
  async within<T>(timeout: number, work: () => T | Promise<T>, why: () => Error): Promise<Awaited<T>> {
    let refuse: (() => void) | undefined;
    const refused = new Promise<never>((_, reject) => {
      refuse = () => reject(why());
      this.#waiting.add(refuse);
    });
    try {
      return await within(timeout, () => Promise.race([work(), refused]));
    } finally {
      if (refuse) this.#waiting.delete(refuse);
    }
  }
}
