import { LONGEST_TIMEOUT } from '../definition/client-lifecycle.js';

/** Thrown by `within` when the time is over. */
export class DeadlineError extends Error {}

/**
 * Settles as `work` does, or rejects with a `DeadlineError` after `timeout` milliseconds, whichever comes first. What
 * `work` does afterwards is ignored, and never an unhandled rejection.
 */
export async function within<T>(timeout: number, work: () => T | Promise<T>): Promise<Awaited<T>> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError()), Math.min(timeout, LONGEST_TIMEOUT));
  });
  try {
    return await Promise.race([work(), over]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves after `duration` milliseconds. */
export function delay(duration: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration));
}
