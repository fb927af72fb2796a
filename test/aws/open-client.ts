import type { ClientDefinition } from '../../src/definition/client-definition.js';
import { buildClient } from '../support/build-client.js';

export interface OpenClient<T> {
  readonly client: T;
  /** Gracefully. */
  readonly close: () => Promise<void>;
  /** By force. */
  readonly destroy: () => Promise<void>;
  readonly check: () => Promise<void>;
}

/** Builds a declared client and closes it as the registry does, without a registry. */
export async function openClient<T>(definition: ClientDefinition<T>, name = 'client'): Promise<OpenClient<T>> {
  const { driver } = definition.blueprint;
  const client = await buildClient(definition, { name });
  return {
    client,
    close: async () => void (await driver.close?.(client)),
    destroy: async () => void (await driver.destroy?.(client)),
    check: async () => void (await driver.check?.(client)),
  };
}

/** What a promise has come to by the next turn of the event loop. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'fulfilled' | 'rejected'> {
  const turn = new Promise<'pending'>((resolve) => {
    setImmediate(() => resolve('pending'));
  });
  return Promise.race([
    promise.then(
      () => 'fulfilled' as const,
      () => 'rejected' as const,
    ),
    turn,
  ]);
}
