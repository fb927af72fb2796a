import type { EventEmitter } from 'node:events';
import type { ClientDefinition } from '../../src/definition/client-definition.js';
import { driveClient, type DrivenClient } from '../support/drive-client.js';

/** What every client of node-redis has, to the extent that these tests use it. */
export interface Client extends EventEmitter {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  close(): Promise<unknown>;
  destroy(): unknown;
}

export interface Driven<T> extends DrivenClient<T, { readonly isOpen: boolean }> {
  /** What `onConnection` has told, in order: '+' for connected, '-' for disconnected. */
  readonly changes: string[];
  /** Resolves as soon as `onConnection` has told that many changes. */
  changed(count: number): Promise<void>;
  /** Resolves with the next error that `onError` reports. */
  nextError(): Promise<Error>;
  check(): Promise<void>;
}

/** Builds a client of node-redis and takes it through its life. */
export async function drive<T>(definition: ClientDefinition<T>): Promise<Driven<T & Client>> {
  const watchers = new Set<() => void>();
  const notify = (): void => watchers.forEach((look) => look());
  const until = (reached: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!reached()) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });

  const full = definition as unknown as ClientDefinition<T & Client>;
  const driven = await driveClient(full, ({ isOpen }) => ({ isOpen }), notify);
  const { client, errors } = driven;
  const { driver } = driven.blueprint;
  const changes: string[] = [];
  driver.onConnection?.(client, (state) => {
    changes.push(state === 'connected' ? '+' : '-');
    notify();
  });

  return {
    ...driven,
    changes,
    changed: (count) => until(() => changes.length >= count),
    async nextError() {
      const count = errors.length;
      await until(() => errors.length > count);
      return errors[count] as Error;
    },
    async check() {
      await driver.check?.(client);
    },
  };
}
