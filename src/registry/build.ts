import { ClientsCreateFailedError } from '../errors/clients-create-failed.error.js';
import type { CloseFailure, Holder, SharedClient } from './shared-client.js';

/** One attempt to build a client, and what it is built on: it holds that from the moment it asks for it. */
export class Build implements Holder {
  readonly dependencies = new Set<SharedClient>();
  /** Until it has succeeded; or has failed, and nothing of it is left. */
  isRunning = true;
  /** What it waits for. */
  pending = 'what it injects is not there yet';
  /** Settles as `create` does, though nobody waits for it any more. */
  creation: Promise<unknown> = Promise.resolve();
  /** What whoever asks for the client is given. */
  result: Promise<unknown> = Promise.resolve();
  opened: Promise<void> | undefined;

  constructor(readonly client: SharedClient) {}

  /** A client that nobody holds keeps nothing open: whoever has built it has never started. One that ends does. */
  get isHolding(): boolean {
    return this.isRunning || this.client.isRefused || this.client.isHeld;
  }

  /** Notes that the client is built on `dependency`; or throws because it cannot be. */
  dependOn(dependency: SharedClient): void {
    const { name, definition } = this.client;
    if (definition.lifecycle.scope === 'process' && dependency.definition.lifecycle.scope === 'app') {
      const problem = `its scope is "process", but "${dependency.name}", which it is built on, closes with one application`;
      throw new ClientsCreateFailedError(name, `${problem}. Give both the same scope`);
    }
    const path = dependency.state === 'creating' && findPath(dependency, this.client);
    if (path) {
      const names = [this.client, ...path].map((client) => `"${client.name}"`).join(' -> ');
      throw new ClientsCreateFailedError(name, `it is built on itself: ${names}`);
    }
    this.hold(dependency);
  }

  hold(dependency: SharedClient): void {
    // When nobody waits for the build any more, what it makes is thrown away. Held in a circle, none would ever close.
    if (!this.isRunning || (this.client.hasDependents && findPath(dependency, this.client))) return;
    dependency.hold(this);
    this.dependencies.add(dependency);
  }

  /** An application that has not started keeps nothing open for others, nor do its clients once they are built. */
  detach(): void {
    for (const dependency of this.dependencies) if (isShared(dependency)) dependency.leave(this);
  }

  attach(): void {
    for (const dependency of this.dependencies) if (isShared(dependency)) dependency.hold(this);
  }

  /** Lets go of everything. What nobody holds any more closes; `close` says how. */
  async release(close: (dependency: SharedClient) => Promise<CloseFailure[]>): Promise<CloseFailure[]> {
    this.isRunning = false;
    const dependencies = [...this.dependencies];
    this.dependencies.clear();
    return (await Promise.all(dependencies.map(close))).flat();
  }
}

function isShared({ definition }: SharedClient): boolean {
  return definition.lifecycle.scope === 'process';
}

/** The clients from `from` to `to` along dependencies, both included. */
function findPath(from: SharedClient, to: SharedClient, seen = new Set<SharedClient>()): SharedClient[] | undefined {
  if (from === to) return [to];
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const dependency of from.dependencies) {
    const rest = findPath(dependency, to, seen);
    if (rest) return [from, ...rest];
  }
  return undefined;
}
