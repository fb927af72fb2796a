/** An object and those of its methods that ask something of the server. */
export type Entrance = readonly [target: object, methods: readonly string[]];

type Method = (this: unknown, ...args: unknown[]) => Promise<unknown>;

interface Replaced {
  readonly target: object;
  readonly method: string;
  readonly own: PropertyDescriptor | undefined;
}

/**
 * Wraps the methods by which commands enter a client, so that a first command connects, and a last one settles. node-redis
 * rejects commands before the first connection, and leaves some pending for ever after the last. Each wrapper is a property
 * of this one client; its class is left alone.
 */
export class Entrances {
  readonly #replaced: Replaced[] = [];
  /** How to reject each call that has not settled. */
  readonly #pending = new Set<(error: unknown) => void>();
  #closedReason: (() => Error) | undefined;
  #isStanding = true;
  #isOurs = false;

  /** @param open called before each call; if it returns a promise, the call waits for that */
  constructor(
    entrances: readonly Entrance[],
    readonly open: () => Promise<unknown> | undefined,
  ) {
    for (const [target, methods] of entrances) for (const method of methods) this.#replace(target, method);
  }

  /** Calls that have not settled. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Makes a call of the library's own, which is neither counted nor refused. */
  pass<R>(call: () => R): R {
    this.#isOurs = true;
    try {
      return call();
    } finally {
      this.#isOurs = false;
    }
  }

  /** Refuses every further call. */
  refuse(reason: () => Error): void {
    this.#closedReason = reason;
    if (!this.#isStanding) for (const { target, method } of this.#replaced) this.#stand(target, method);
    this.#isStanding = true;
  }

  /** Rejects every call that has not settled. */
  reject(error: Error): void {
    for (const reject of this.#pending) reject(error);
  }

  /** Restores the original methods until `refuse` is called. Calls already made go on. */
  remove(): void {
    if (!this.#isStanding || this.#closedReason) return;
    this.#isStanding = false;
    for (const { target, method, own } of this.#replaced) {
      if (own) Object.defineProperty(target, method, own);
      else Reflect.deleteProperty(target, method);
    }
  }

  #replace(target: object, method: string): void {
    if (typeof Reflect.get(target, method) !== 'function') return; // this version of node-redis does not have it
    this.#replaced.push({ target, method, own: Object.getOwnPropertyDescriptor(target, method) });
    this.#stand(target, method);
  }

  #stand(target: object, method: string): void {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the method's own `this` is the client
    const entrances = this;
    const original = Reflect.get(target, method) as Method;
    Object.defineProperty(target, method, {
      configurable: true,
      writable: true,
      enumerable: false,
      value(this: unknown, ...args: unknown[]) {
        return entrances.#call(() => original.apply(this, args));
      },
    });
  }

  #call(call: () => Promise<unknown>): Promise<unknown> {
    if (this.#isOurs) return call();
    if (this.#closedReason) return Promise.reject(this.#closedReason());
    return new Promise((resolve, reject) => {
      const settle = (settled: () => void): void => {
        this.#pending.delete(reject);
        settled();
      };
      this.#pending.add(reject);
      const succeed = (value: unknown) => settle(() => resolve(value));
      const fail = (error: unknown) => settle(() => reject(error));
      try {
        const opening = this.open();
        (opening ? opening.then(call) : Promise.resolve(call())).then(succeed, fail);
      } catch (error) {
        fail(error);
      }
    });
  }
}
