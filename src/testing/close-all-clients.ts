import { subscribe } from 'node:diagnostics_channel';
import type { Observable } from 'rxjs';

/** The part of a registry that is used here. The core is not imported, so that this entry does not load it. */
interface Closable {
  readonly events$: Observable<unknown>;
  close(): Promise<void>;
}

/** Every registry made since this module was imported whose clients are not closed yet. */
const registries = new Set<Closable>();

// The core publishes each registry that it creates on this channel.
subscribe('nestjs-clients:registry', (message) => {
  const registry = message as Closable;
  registries.add(registry);
  registry.events$.subscribe({ complete: () => registries.delete(registry) });
});

/**
 * Closes the clients of every application and testing module in this process, whether or not it was closed: for an
 * `afterEach`, so that a test that fails half-way leaves no connection behind.
 *
 * It knows the applications that were created after `nestjs-clients/testing` was imported. All are closed even if one
 * fails, and then it rejects with an `AggregateError` of what failed.
 *
 * @example
 * afterEach(() => closeAllClients());
 */
export async function closeAllClients(): Promise<void> {
  const outcomes = await Promise.allSettled([...registries].map(async (registry) => registry.close()));
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  if (errors.length > 0) {
    const reasons = errors.map((error) => (error instanceof Error ? error.message : String(error)));
    throw new AggregateError(errors, `Not every client closed: ${reasons.join(' ')}`);
  }
}
