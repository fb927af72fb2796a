import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

/** An asynchronous context to run work in. `AsyncLocalStorage.snapshot()` is the same, but an open handle to Jest. */
class AsyncContext extends AsyncResource {
  /** It keeps no process alive. `jest --detectOpenHandles` asks, and reports whatever does not answer. */
  hasRef(): boolean {
    return false;
  }
}

const NAME = 'nestjs-clients';
const whenLoaded = new AsyncContext(NAME);

/**
 * Runs work in the asynchronous context in which the package was loaded, not in that of the current request. A client's
 * sockets outlive the request, and would otherwise keep its store alive, and log under its name, for good.
 *
 * The context is taken when the package loads, not when an application starts: a serverless function may start its
 * application inside a request.
 */
export function outsideOfRequests<T>(work: () => T): T {
  // In a context of its own: `enterWith()` in `work` changes the current one, and would change that of all later work.
  return whenLoaded.runInAsyncScope(() => new AsyncContext(NAME).runInAsyncScope(work));
}

interface Build<C> {
  readonly client: C;
  running: boolean;
}

/**
 * Knows which client is being built in the current asynchronous context, if any.
 *
 * That is how a client comes to depend on another, whether it injects it, injects a service that does, or asks the
 * registry inside `create`.
 */
export class BuildTracker<C> {
  readonly #storage = new AsyncLocalStorage<Build<C>>();
  #running = 0;

  /** The client being built in this context, if any. */
  get current(): C | undefined {
    if (this.#running === 0) return undefined;
    const build = this.#storage.getStore();
    // Sockets and timers that `create` made keep its context after the build has ended.
    return build?.running ? build.client : undefined;
  }

  async run<T>(client: C, work: () => Promise<T>): Promise<T> {
    const build: Build<C> = { client, running: true };
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
