import type { ClientDefinition } from '../definition/client-definition.js';
import type { Dependency } from '../definition/dependency.js';
import type { ClientEventDetails } from '../events/client-event.js';
import { shareInProcess } from './process-clients.js';
import { SharedClient, type Observer, type PoolHost } from './shared-client.js';

/** Where the clients of one `forRoot` call get what they need. */
export interface ClientSource {
  /** Gets values from Nest, in the module of that call. `consumer` names the class that they are for, if there is one. */
  resolve(injected: readonly Dependency[], consumer?: string): Promise<readonly unknown[]>;
  /** The options that the factory of `forRootAsync` returns for the client of that name. */
  resolveOptions(name: string): Promise<unknown>;
  /** The names of the classes that inject the eager client of that name. */
  findConsumers(name: string): readonly string[];
  /** The names of the clients that a client is built on, directly or through other providers. */
  findDependencies(definition: ClientDefinition): readonly string[];
}

/**
 * A client as one application declares it. It is how the application holds the client: not before the application has
 * started, except while somebody waits for it to be built.
 */
export class Registration implements Observer {
  /** There from the first use on. A client of the process may be there before, and may be replaced after its end. */
  client: SharedClient | undefined;
  /** What `get` gives once the client is built, until the application closes. */
  built: Promise<unknown> | undefined;
  /** The application has started, so that it holds the client from its first use until the application closes. */
  isHolding = false;
  /** Of a client of the process: what keyed clients need from this application. */
  host: PoolHost | undefined;
  #consumers: Set<string> | undefined;
  #waiting = 0;

  constructor(
    readonly name: string,
    readonly definition: ClientDefinition,
    readonly source: ClientSource,
    private readonly publish: (name: string, details: ClientEventDetails) => void,
  ) {}

  observe(details: ClientEventDetails): void {
    this.publish(this.name, details);
  }

  get isOfProcess(): boolean {
    return this.definition.lifecycle.scope === 'process';
  }

  /** The classes that it was injected into. Nest passes no INQUIRER for an eager client; its classes come from the graph. */
  get consumers(): readonly string[] {
    return this.#consumers ? [...this.#consumers] : this.eagerConsumers;
  }

  get eagerConsumers(): readonly string[] {
    return this.definition.lifecycle.eager ? this.source.findConsumers(this.name) : [];
  }

  /** Publishes the first injection into each class. */
  addConsumer(consumer: string): void {
    const consumers = (this.#consumers ??= new Set());
    if (consumers.has(consumer)) return;
    consumers.add(consumer);
    this.publish(this.name, { type: 'injected', consumer });
  }

  /** The client, not built yet if nobody has asked for it. */
  share(): SharedClient {
    const { name, definition, client } = this;
    // If another application has closed the client that this one has used, this one gets no second client.
    const isGone = client?.cancellation.isCancelled && !this.built;
    if (this.isOfProcess && (!client || isGone)) this.client = shareInProcess(name, definition);
    return (this.client ??= new SharedClient(name, definition));
  }

  /**
   * The application has started, or closes. A client of the process is held even if it is not used yet; an application
   * that closes holds only what it has, because it would never let go of another one.
   */
  hold(client = this.isOfProcess ? this.share() : this.client): void {
    this.isHolding = true;
    client?.hold(this);
    if (client) this.#attach(client);
  }

  #attach(client: SharedClient): void {
    client.observers.add(this);
    if (this.host) (client.hosts ??= new Set()).add(this.host);
  }

  /** The application has nothing to do with the client any more. */
  detach(client: SharedClient): void {
    client.observers.delete(this);
    if (this.host) client.hosts?.delete(this.host);
  }

  /** Holds the client while `work` waits for it, and afterwards if the application has started. */
  async holdDuring<T>(work: (client: SharedClient) => Promise<T>): Promise<T> {
    const client = this.share();
    client.hold(this);
    this.#attach(client);
    this.#waiting += 1;
    let succeeded = false;
    try {
      const result = await work(client);
      succeeded = true;
      return result;
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0 && !this.isHolding) {
        if (succeeded) client.leave(this);
        else void client.withdraw(this);
        this.detach(client);
      }
    }
  }
}
