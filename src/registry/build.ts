import { ClientsCreateFailedError } from '../errors/clients-create-failed.error.js';
import type { HeldClient } from './held-client.js';
import type { Closing, CloseFailure } from './holding.js';
import type { OpenClient } from './open-client.js';

/**
 * One attempt to build a client. It holds what the client is built on from the moment it asks for it until the attempt has
 * failed; once it has succeeded, for as long as the client itself is held.
 */
export class Build {
  readonly dependencies = new Set<HeldClient>();
  /** What the build is waiting for, as the error says when its deadline passes. */
  pending = 'what it injects is not there yet';
  /** Settles as `create` does, even when nobody waits for it any more. */
  creation!: Promise<OpenClient>;
  /** What everyone who asks for the client awaits. */
  result!: Promise<unknown>;
  #isRunning = true;

  constructor(readonly client: HeldClient) {}

  /** Notes that the client is built on `dependency`, or throws because it cannot be. */
  dependOn(dependency: HeldClient): void {
    const { name, definition } = this.client;
    if (definition.lifecycle.scope === 'process' && dependency.definition.lifecycle.scope === 'app') {
      const problem = `its scope is "process", but "${dependency.name}", which it is built on, closes with one application`;
      throw new ClientsCreateFailedError(name, `${problem}. Give both the same scope`);
    }
    const path = dependency.isBuilding ? findPath(dependency, this.client) : undefined;
    if (path) {
      const names = [this.client, ...path].map((client) => `"${client.name}"`).join(' -> ');
      throw new ClientsCreateFailedError(name, `it is built on itself: ${names}`);
    }
    this.add(dependency);
  }

  /** Holds `dependency`, unless the attempt is over or the two would hold each other in a circle. */
  add(dependency: HeldClient): void {
    if (!this.#isRunning || this.dependencies.has(dependency)) return;
    // Without dependents there is no circle; looking for one all the same would make long chains quadratic. On a keyed client
    // depends what its key belongs to: that closes each one before it has closed itself.
    const hasDependents = this.client.dependents.size > 0 || this.client.key !== undefined;
    if (hasDependents && findPath(dependency, this.client)) return;
    dependency.hold(this);
    dependency.addDependent(this.client);
    this.dependencies.add(dependency);
  }

  /** The client is built. If nobody holds it, it keeps nothing open. */
  succeed(isHeld: boolean): void {
    this.#isRunning = false;
    if (!isHeld) this.leave();
  }

  /** The client's first holder has come. Throws `CLIENTS_CLOSED` if something that it is built on has closed meanwhile. */
  hold(): void {
    if (this.#isRunning) return; // it holds everything already
    try {
      for (const dependency of this.dependencies) dependency.hold(this);
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  /** The client is ending: what it is built on stays open until it has ended, even if nobody held the client. */
  retain(): void {
    for (const dependency of this.dependencies) dependency.retain(this);
  }

  /** The client's last holder has left without closing it. */
  leave(): void {
    if (this.#isRunning) return;
    for (const dependency of this.dependencies) dependency.leave(this);
  }

  /** The attempt has failed. */
  withdraw(): Promise<CloseFailure[]> {
    return this.#letGo((dependency) => dependency.withdraw(this));
  }

  /** The client has closed. What nobody else holds closes now. */
  release(closing: Closing): Promise<CloseFailure[]> {
    return this.#letGo(async (dependency) => {
      if (!dependency.isEnding) return dependency.release(this, closing);
      dependency.leave(this); // it is waiting for this client to end: waiting for it in turn would never end
      return [];
    });
  }

  async #letGo(action: (dependency: HeldClient) => Promise<CloseFailure[]>): Promise<CloseFailure[]> {
    this.#isRunning = false;
    const dependencies = [...this.dependencies];
    this.dependencies.clear();
    for (const dependency of dependencies) dependency.removeDependent(this.client);
    return (await Promise.all(dependencies.map(action))).flat();
  }
}

/** The clients from `from` to `to` along dependencies, both included. */
function findPath(from: HeldClient, to: HeldClient, seen = new Set<HeldClient>()): HeldClient[] | undefined {
  if (from === to) return [to];
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const dependency of from.dependencies) {
    const rest = findPath(dependency, to, seen);
    if (rest) return [from, ...rest];
  }
  return undefined;
}
