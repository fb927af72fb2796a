import { LONGEST_TIMEOUT } from '../definition/client-lifecycle.js';

/**
 * Settles as `work` does, or as `late` does after `timeout` milliseconds, whichever comes first. What `work` does
 * afterwards is ignored, and never an unhandled rejection.
 */
export async function within<T>(timeout: number, work: () => T | Promise<T>, late: () => T = tooLate): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(timeout, LONGEST_TIMEOUT));
  });
  try {
    return await Promise.race([work(), over.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}

function tooLate(): never {
  throw new Error('it took too long');
}
