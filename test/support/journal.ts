import { EventEmitter } from 'node:events';
import type { ClientDefinition } from '../../src/definition/client-definition.js';
import { defineClient, type ClientDriver, type ClientLifecycle } from '../../src/index.js';

/** A client like that of an SDK. It has a private field, so that calling it through a proxy fails. */
export class FakeClient extends EventEmitter {
  readonly #greeting: string;
  readonly id = Symbol('FakeClient');

  constructor(readonly clientName: string) {
    super();
    this.#greeting = `hello from ${clientName}`;
  }

  greet(): string {
    return this.#greeting;
  }
}

/** Records, in order, what happens to the clients that it defines. */
export class Journal {
  readonly entries: string[] = [];
  readonly built: FakeClient[] = [];

  write(entry: string): void {
    this.entries.push(entry);
  }

  build(name: string): FakeClient {
    this.write(`create ${name}`);
    const client = new FakeClient(name);
    this.built.push(client);
    return client;
  }

  /** Defines a client whose calls are recorded; `driver` replaces some of its functions. */
  client(
    name: string,
    driver: Partial<ClientDriver<FakeClient>> = {},
    lifecycle?: ClientLifecycle,
  ): ClientDefinition<FakeClient> {
    return defineClient<FakeClient>(
      {
        create: () => this.build(name),
        connect: () => this.write(`connect ${name}`),
        close: () => this.write(`close ${name}`),
        destroy: () => this.write(`destroy ${name}`),
        ...driver,
      },
      lifecycle,
    );
  }

  /** The entries that begin with that word, in order. */
  of(word: string): string[] {
    return this.entries.filter((entry) => entry.startsWith(`${word} `));
  }
}
