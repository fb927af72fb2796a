import type { Cluster, Redis } from 'ioredis';
import { afterEach, beforeEach, vi } from 'vitest';
import type { ClientDefinition } from '../../src/definition/client-definition.js';
import { driveClient, type DrivenClient } from '../support/drive-client.js';

export interface Driven<T> extends DrivenClient<T, { readonly status: string }> {
  /** Resolves when the client emits this event next. */
  event(name: string): Promise<void>;
}

/** Builds a client of ioredis and takes it through its life. */
export async function drive<T extends Redis | Cluster>(definition: ClientDefinition<T>): Promise<Driven<T>> {
  const driven = await driveClient(definition, ({ status }) => ({ status }));
  return {
    ...driven,
    // Not once() of node:events, which rejects with the first "error" event.
    event: (name) => new Promise((resolve) => driven.client.once(name, () => resolve())),
  };
}

/** Lets a test fail in which ioredis writes to `console.error`, as it does with an error that nobody listens to. */
export function failOnConsoleError(): void {
  let written: unknown[][];
  beforeEach(() => {
    written = vi.spyOn(console, 'error').mock.calls;
  });
  afterEach(() => {
    vi.restoreAllMocks();
    if (written.length > 0) throw new Error(`console.error: ${String(written[0])}`);
  });
}
