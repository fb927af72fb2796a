/** Cancels pending waits for something that is shutting down. It costs nothing until somebody waits. */
export class Cancellation {
  #waiting: Set<(reason: Error) => void> | undefined;
  #reason: (() => Error) | undefined;

  get isCancelled(): boolean {
    return this.#reason !== undefined;
  }

  /** Ends every wait with an error, now and from now on. */
  cancel(reason: () => Error): void {
    if (this.#reason) return;
    this.#reason = reason;
    for (const reject of this.#waiting ?? []) reject(reason());
    this.#waiting = undefined;
  }

  throwIfCancelled(): void {
    if (this.#reason) throw this.#reason();
  }

  /** Calls `reject` on cancellation. Returns a function that unsubscribes it. */
  subscribe(reject: (reason: Error) => void): () => void {
    const waiting = (this.#waiting ??= new Set());
    waiting.add(reject);
    return () => void waiting.delete(reject);
  }
}
