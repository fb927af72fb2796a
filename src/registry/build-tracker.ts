import { AsyncLocalStorage } from 'node:async_hooks';
import type { SharedClient } from './shared-client.js';

interface Build {
  readonly client: SharedClient;
  running: boolean;
}

/**
 * Knows on whose behalf a client is asked for: which client is being built in this asynchronous context.
 *
 * That is how a client comes to depend on another, whether it injects it, injects a service that does, or asks the
 * registry inside `create`.
 */
export class BuildTracker {
  readonly #storage = new AsyncLocalStorage<Build>();
  #running = 0;

  /** The client being built in this context, if any. */
  get current(): SharedClient | undefined {
    if (this.#running === 0) return undefined;
    const build = this.#storage.getStore();
    // Sockets and timers that `create` made keep its context for good; what they do later is nobody's build.
    return build?.running ? build.client : undefined;
  }

  async run<T>(client: SharedClient, work: () => Promise<T>): Promise<T> {
    const build: Build = { client, running: true };
    this.#running += 1;
    try {
      return await this.#storage.run(build, work);
    } finally {
      build.running = false;
      this.#running -= 1;
      // Before Node 24 an enabled storage makes every promise in the process slower, so it is on during builds only.
      if (this.#running === 0) this.#storage.disable();
    }
  }
}
