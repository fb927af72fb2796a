import { setImmediate } from 'node:timers/promises';
import type { EventEmitter } from 'node:events';
import { buildClient } from '../support/build-client.js';
import { within } from '../../src/registry/deadline.js';
import type { ClientBlueprint, ClientDefinition } from '../../src/definition/client-definition.js';
import { openHandles, opened } from '../faults/support/open-handles.js';

/** Milliseconds that the core gives `destroy`. */
const DESTROY_TIMEOUT = 2_050;
/** Milliseconds in which what has ended is gone; less than any pause of node-redis that a test must find. */
const GRACE = 200;

/** What every client of node-redis has, to the extent that these tests use it. */
export interface Client extends EventEmitter {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  close(): Promise<unknown>;
  destroy(): unknown;
}

export interface Driven<T> extends AsyncDisposable {
  readonly client: T;
  readonly blueprint: ClientBlueprint<T>;
  /** What `onError` has reported. */
  readonly errors: Error[];
  /** What `onConnection` has told, in order: '+' for connected, '-' for disconnected. */
  readonly changes: string[];
  /** Resolves as soon as `onConnection` has told that many changes. */
  changed(count: number): Promise<void>;
  /** Resolves with the next error that `onError` reports. */
  nextError(): Promise<Error>;
  /** Connects in the background, as the core does after bootstrap; a failure goes to `errors`. */
  connect(): void;
  check(): Promise<void>;
  /** Keeps an eye on a command; see `Closing.commands`. */
  watch(...commands: Promise<unknown>[]): void;
  /** Closes the client as the core does: gracefully, then by force. */
  close(closeTimeout?: number): Promise<Closing>;
}

export interface Closing {
  /** Milliseconds. */
  readonly duration: number;
  readonly forced: boolean;
  readonly isOpen: boolean;
  /** What has become of the watched commands. */
  readonly commands: { readonly answered: number; readonly rejected: number; readonly pending: number };
  /** Sockets and timers of this process that were not there before the client was, and stay longer than a moment. */
  readonly left: readonly string[];
}

/** Builds a client from its definition and takes it through its life, as the core does but without it. */
export async function drive<T>(definition: ClientDefinition<T>): Promise<Driven<T & Client>> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate(); // the sockets that a test helper has just destroyed
  const before = openHandles();
  const { blueprint } = definition as unknown as ClientDefinition<T & Client>;
  const { driver } = blueprint;
  const client = await buildClient(definition as unknown as ClientDefinition<T & Client>);
  const errors: Error[] = [];
  const changes: string[] = [];
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
  driver.onError?.(client, (error) => {
    errors.push(error as Error);
    notify();
  });
  driver.onConnection?.(client, (state) => {
    changes.push(state === 'connected' ? '+' : '-');
    notify();
  });

  const commands = { answered: 0, rejected: 0, pending: 0 };
  const settle = (outcome: 'answered' | 'rejected') => () => {
    commands.pending -= 1;
    commands[outcome] += 1;
  };

  async function close(closeTimeout = 500): Promise<Closing> {
    const start = performance.now();
    let forced = false;
    try {
      await within({ timeout: closeTimeout }, async () => void (await driver.close?.(client)));
    } catch {
      forced = true;
      await within({ timeout: DESTROY_TIMEOUT }, async () => void (await driver.destroy?.(client)));
    }
    const duration = performance.now() - start;
    await setImmediate(); // the rejections of the last commands
    const deadline = performance.now() + GRACE;
    while (opened(before).length > 0 && performance.now() < deadline) await setImmediate();
    return { duration, forced, isOpen: client.isOpen, commands, left: opened(before) };
  }

  return {
    client,
    blueprint,
    errors,
    changes,
    changed: (count) => until(() => changes.length >= count),
    async nextError() {
      const count = errors.length;
      await until(() => errors.length > count);
      return errors[count] as Error;
    },
    watch(...promises) {
      commands.pending += promises.length;
      for (const promise of promises) promise.then(settle('answered'), settle('rejected'));
    },
    connect() {
      Promise.resolve(driver.connect?.(client)).catch((error: Error) => errors.push(error));
    },
    async check() {
      await driver.check?.(client);
    },
    close,
    async [Symbol.asyncDispose]() {
      await driver.destroy?.(client);
    },
  };
}
