import { setImmediate } from 'node:timers/promises';
import type { Cluster, Redis } from 'ioredis';
import { afterEach, beforeEach, vi } from 'vitest';
import { buildClient } from '../support/build-client.js';
import { within } from '../../src/registry/deadline.js';
import type { ClientBlueprint, ClientDefinition } from '../../src/definition/client-definition.js';

/** Milliseconds that the core gives `destroy`. */
const DESTROY_TIMEOUT = 2_050;
/** Milliseconds in which an idle server hangs up; less than any timer of ioredis that a test must find. */
const GRACE = 200;

export interface Driven<T> extends AsyncDisposable {
  readonly client: T;
  readonly blueprint: ClientBlueprint<T>;
  /** What `onError` has reported. */
  readonly errors: Error[];
  /** Connects in the background; a failure goes to `errors`. */
  connect(): void;
  /** Resolves when the client emits this event next. */
  event(name: string): Promise<void>;
  /** Keeps an eye on a command; see `Closing.commands`. */
  watch(...commands: Promise<unknown>[]): void;
  /** Resolves as soon as nothing is left, see `Closing.left`, or after so many milliseconds. */
  gone(timeout: number): Promise<void>;
  /** Closes the client as the core does: gracefully, then by force. */
  close(closeTimeout?: number): Promise<Closing>;
}

export interface Closing {
  /** Milliseconds. */
  readonly duration: number;
  readonly forced: boolean;
  readonly status: string;
  /** What has become of the watched commands. */
  readonly commands: { readonly answered: number; readonly rejected: number; readonly pending: number };
  /** Sockets and timers of this process that were not there before the client was, and stay longer than a moment. */
  readonly left: readonly string[];
}

/** Builds a client from its definition and takes it through its life, as the core does but without it. */
export async function drive<T extends Redis | Cluster>(definition: ClientDefinition<T>): Promise<Driven<T>> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate(); // the sockets that a test helper has just destroyed
  const before = resources();
  const { blueprint } = definition;
  const client = await buildClient(definition);
  const errors: Error[] = [];
  blueprint.driver.onError?.(client, (error) => errors.push(error as Error));

  const commands = { answered: 0, rejected: 0, pending: 0 };
  const settle = (outcome: 'answered' | 'rejected') => () => {
    commands.pending -= 1;
    commands[outcome] += 1;
  };

  async function close(closeTimeout = 500): Promise<Closing> {
    const start = performance.now();
    let forced = false;
    try {
      await within({ timeout: closeTimeout }, () => blueprint.driver.close?.(client));
    } catch {
      forced = true;
      await within({ timeout: DESTROY_TIMEOUT }, () => blueprint.driver.destroy?.(client));
    }
    const duration = performance.now() - start;
    await setImmediate(); // the rejections of the last commands
    const { status } = client;
    await gone(GRACE);
    return { duration, forced, status, commands, left: left() };
  }

  const left = (): string[] => minus(resources(), before);

  async function gone(timeout: number): Promise<void> {
    const deadline = performance.now() + timeout;
    while (left().length > 0 && performance.now() < deadline) await setImmediate();
  }

  return {
    client,
    blueprint,
    errors,
    watch(...promises) {
      commands.pending += promises.length;
      for (const promise of promises) promise.then(settle('answered'), settle('rejected'));
    },
    connect() {
      Promise.resolve(blueprint.driver.connect?.(client)).catch((error: Error) => errors.push(error));
    },
    // Not once() of node:events, which rejects with the first "error" event.
    event: (name) => new Promise((resolve) => client.once(name, () => resolve())),
    gone,
    close,
    async [Symbol.asyncDispose]() {
      await blueprint.driver.destroy?.(client);
    },
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

function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /^(TCPSocketWrap|TCPConnectWrap|TLSWrap|Timeout|GetAddrInfo)/.test(name));
}

function minus(names: readonly string[], others: readonly string[]): string[] {
  const rest = [...names];
  for (const name of others) {
    const index = rest.indexOf(name);
    if (index !== -1) rest.splice(index, 1);
  }
  return rest;
}
