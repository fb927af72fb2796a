import { LONGEST_TIMEOUT } from '../definition/client-lifecycle.js';

export interface Limits<T> {
  /** Milliseconds. */
  readonly timeout?: number;
  /** What to do when the time is up. Default: reject. */
  readonly late?: (() => T) | undefined;
  /** Rejects with its reason as soon as it is aborted. */
  readonly signal?: AbortSignal;
}

/**
 * Settles as `work` does, as `late` does after `timeout` milliseconds, or rejects when `signal` is aborted, whichever comes
 * first. What `work` does afterwards is ignored, and never an unhandled rejection.
 */
export async function within<T>(limits: Limits<T>, work: () => T | Promise<T>): Promise<T> {
  const { timeout, late = tooLate, signal } = limits;
  signal?.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  let abort = (): void => {};
  const over = new Promise<void>((resolve, reject) => {
    if (timeout !== undefined) timer = setTimeout(resolve, Math.min(timeout, LONGEST_TIMEOUT));
    abort = () => reject(signal?.reason as Error);
  });
  signal?.addEventListener('abort', abort);
  try {
    return await Promise.race([work(), over.then(late)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

function tooLate(): never {
  throw new Error('it took too long');
}
