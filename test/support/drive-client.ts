import { setImmediate } from 'node:timers/promises';
import type { ClientBlueprint, ClientDefinition } from '../../src/definition/client-definition.js';
import { within } from '../../src/registry/deadline.js';
import { buildClient } from './build-client.js';
import { closedBy, openHandles } from './open-handles.js';

/** Milliseconds that the core gives `destroy`. */
const DESTROY_TIMEOUT = 2_050;
/** Milliseconds in which an idle server hangs up; less than any timer of an SDK that a test must find. */
const GRACE = 200;

/** A client that a test takes through its life. `S` is what the test is told of its state. */
export interface DrivenClient<T, S> extends AsyncDisposable {
  readonly client: T;
  readonly blueprint: ClientBlueprint<T>;
  /** What `onError` has reported. */
  readonly errors: Error[];
  /** Connects in the background, as the core does after bootstrap; a failure goes to `errors`. */
  connect(): void;
  /** Keeps an eye on a command; see `Closing.commands`. */
  watch(...commands: Promise<unknown>[]): void;
  /** Resolves as soon as nothing is left, see `Closing.left`, or after so many milliseconds. */
  gone(timeout: number): Promise<void>;
  /** Closes the client as the core does: gracefully, then by force. */
  close(closeTimeout?: number): Promise<Closing & S>;
}

export interface Closing {
  /** Milliseconds. */
  readonly duration: number;
  readonly forced: boolean;
  /** What has become of the watched commands. */
  readonly commands: { readonly answered: number; readonly rejected: number; readonly pending: number };
  /** Sockets and timers of this process that were not there before the client was, and stay longer than a moment. */
  readonly left: readonly string[];
}

/**
 * Builds a client from its definition and takes it through its life, as the core does but without it.
 *
 * @param stateOf the state of the client, asked as soon as it has closed
 * @param heard called after each error that `onError` reports
 */
export async function driveClient<T, S>(
  definition: ClientDefinition<T>,
  stateOf: (client: T) => S,
  heard = (): void => {},
): Promise<DrivenClient<T, S>> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate(); // the sockets that a test helper has just destroyed
  const before = openHandles();
  const { blueprint } = definition;
  const { driver } = blueprint;
  const client = await buildClient(definition);
  const errors: Error[] = [];
  driver.onError?.(client, (error) => {
    errors.push(error as Error);
    heard();
  });

  const commands = { answered: 0, rejected: 0, pending: 0 };
  const settle = (outcome: 'answered' | 'rejected') => () => {
    commands.pending -= 1;
    commands[outcome] += 1;
  };
  const leftAfter = (timeout: number): Promise<string[]> => closedBy(performance.now() + timeout, before);

  return {
    client,
    blueprint,
    errors,
    connect() {
      Promise.resolve(driver.connect?.(client)).catch((error: Error) => errors.push(error));
    },
    watch(...promises) {
      commands.pending += promises.length;
      for (const promise of promises) promise.then(settle('answered'), settle('rejected'));
    },
    async gone(timeout) {
      await leftAfter(timeout);
    },
    async close(closeTimeout = 500) {
      const start = performance.now();
      let forced = false;
      try {
        await within({ timeout: closeTimeout }, () => driver.close?.(client));
      } catch {
        forced = true;
        await within({ timeout: DESTROY_TIMEOUT }, () => driver.destroy?.(client));
      }
      const duration = performance.now() - start;
      await setImmediate(); // the rejections of the last commands
      const state = stateOf(client);
      const left = await leftAfter(GRACE);
      return { duration, forced, commands, left, ...state };
    },
    async [Symbol.asyncDispose]() {
      await driver.destroy?.(client);
    },
  };
}
