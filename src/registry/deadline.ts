import { LONGEST_TIMEOUT } from '../definition/client-lifecycle.js';

/** What `within` has rejected with because the time was over. */
const deadlines = new WeakSet<object>();

/**
 * Settles as `work` does, or rejects after `timeout` milliseconds with what `isDeadline` knows, whichever comes first.
 * What `work` does afterwards is ignored, and never an unhandled rejection.
 */
export async function within<T>(timeout: number, work: () => T | Promise<T>): Promise<Awaited<T>> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    const end = () => {
      const deadline = new Error(`not within ${timeout} ms`);
      deadlines.add(deadline);
      reject(deadline);
    };
    timer = setTimeout(end, Math.min(timeout, LONGEST_TIMEOUT));
  });
  try {
    return await Promise.race([work(), over]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether `within` has rejected with it. It may be anything that somebody threw, so that nothing of it is looked at. */
export function isDeadline(error: unknown): boolean {
  return deadlines.has(error as object);
}

/** Resolves after `duration` milliseconds. */
export function delay(duration: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration));
}
