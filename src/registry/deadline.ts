import { LONGEST_TIMEOUT } from '../definition/client-lifecycle.js';
import type { Cancellation } from './cancellation.js';

export interface Limits<T> {
  /** Milliseconds. */
  readonly timeout?: number;
  /** What to do when the time is up. Default: reject. */
  readonly late?: () => T;
  /** Rejects as soon as it is cancelled. */
  readonly cancellation?: Cancellation;
}

/**
 * Settles as `work` does, as `late` does after `timeout` milliseconds, or rejects when it is cancelled, whichever comes
 * first. What `work` does afterwards is ignored, and is never an unhandled rejection.
 */
export async function within<T>(limits: Limits<T>, work: () => T | Promise<T>): Promise<T> {
  const { timeout, late = tooLate, cancellation } = limits;
  cancellation?.throwIfCancelled();
  let timer: NodeJS.Timeout | undefined;
  let unsubscribe: (() => void) | undefined;
  const over = new Promise<void>((resolve, reject) => {
    if (timeout !== undefined) timer = setTimeout(resolve, Math.min(timeout, LONGEST_TIMEOUT));
    unsubscribe = cancellation?.subscribe(reject);
  });
  try {
    return await Promise.race([work(), over.then(late)]);
  } finally {
    clearTimeout(timer);
    unsubscribe?.();
  }
}

function tooLate(): never {
  throw new Error('it took too long');
}
