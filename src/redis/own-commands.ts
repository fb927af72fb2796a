/** A command as ioredis keeps it. Its types declare neither. */
interface Command {
  readonly callback?: unknown;
}

export type Callback = (error: Error | null | undefined, reply?: unknown) => void;

/** The callbacks of commands that the library has sent for itself. */
const callbacks = new WeakSet<object>();

/**
 * Sends a command that is nobody's work, such as a health check: closing a client does not wait for its answer.
 *
 * @param send gives ioredis the callback; it is how the command is known again in ioredis's queues
 */
export function sendOwnCommand(send: (callback: Callback) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const callback: Callback = (error, reply) => (error ? reject(error) : resolve(reply));
    callbacks.add(callback);
    // With a callback, ioredis's promise is redundant, but it rejects as well.
    const promise = send(callback);
    if (promise instanceof Promise) promise.catch(() => {});
  });
}

/** Whether the library has sent a command for itself. */
export function isOwnCommand({ callback }: Command): boolean {
  return typeof callback === 'function' && callbacks.has(callback);
}
