import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * A health check that is under way. Its requests are nobody's work: they are not retried, so that the reason of a failure
 * is known in time, and closing does not wait for them.
 */
export class Probe {
  static readonly #storage = new AsyncLocalStorage<Probe>();
  static #running = 0;

  readonly #controller = new AbortController();
  #isRunning = true;

  /** The check that sends this request, if one does. */
  static get current(): Probe | undefined {
    if (Probe.#running === 0) return undefined;
    const probe = Probe.#storage.getStore();
    // Sockets that it has opened keep its context for good; what comes over them later is not its request.
    return probe !== undefined && probe.#isRunning ? probe : undefined;
  }

  /** Aborted when nobody waits for the check any more. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** Settles as `look` does, or at once when it is aborted. */
  async run(look: (abortSignal: AbortSignal) => unknown): Promise<void> {
    Probe.#running += 1;
    try {
      await this.until(Probe.#storage.run(this, async () => look(this.signal)));
    } finally {
      this.#isRunning = false;
      Probe.#running -= 1;
      // Before Node 24 an enabled storage makes every promise in the process slower, so it is on during checks only.
      if (Probe.#running === 0) Probe.#storage.disable();
    }
  }

  /** Settles as `work` does, or rejects at once when the check is aborted. */
  async until<R>(work: Promise<R>): Promise<R> {
    const { signal } = this;
    const listening = new AbortController();
    const aborted = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason as Error);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { signal: listening.signal });
    });
    try {
      return await Promise.race([work, aborted]);
    } finally {
      listening.abort();
    }
  }
}

/** An error of a check on its way through the SDK, which would retry after most others. */
export class NotRetried extends Error {
  constructor(readonly original: unknown) {
    super('A health check failed');
    // From the answer's date the SDK learns how wrong this machine's clock is.
    const response: unknown = (original as { $response?: unknown } | null | undefined)?.$response;
    if (response !== undefined) Object.defineProperty(this, '$response', { value: response, configurable: true });
  }
}
