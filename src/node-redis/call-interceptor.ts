import { replaceMethod } from './internals.js';

/** An object and the names of those of its methods whose calls are intercepted. */
export type InterceptedMethods = readonly [target: object, methods: readonly string[]];

type Method = (this: unknown, ...args: unknown[]) => Promise<unknown>;

interface Replaced {
  readonly target: object;
  readonly method: string;
  /** The target's own property, if the method was not inherited. */
  readonly own: PropertyDescriptor | undefined;
}

/**
 * Intercepts calls of a client's methods: counts those in flight, and lets them wait, or refuses or rejects them.
 *
 * node-redis rejects commands before the first connection, and leaves some pending for ever after the last. So the first
 * command has to connect, and the last ones have to settle. Each method is replaced by a property of this one client; its
 * class is left alone.
 */
export class CallInterceptor {
  readonly #replaced: Replaced[] = [];
  /** How to reject each call in flight. */
  readonly #inFlight = new Set<(error: unknown) => void>();
  #closedReason: (() => Error) | undefined;
  #isInstalled = true;
  #isBypassed = false;

  /** @param before called before each call; if it returns a promise, the call waits for that */
  constructor(
    intercepted: readonly InterceptedMethods[],
    readonly before: () => Promise<unknown> | undefined = () => undefined,
  ) {
    for (const [target, methods] of intercepted) for (const method of methods) this.#replace(target, method);
  }

  /** How many calls are in flight. */
  get pending(): number {
    return this.#inFlight.size;
  }

  /** Makes a call of the library's own, which is neither counted nor refused. */
  bypass<R>(call: () => R): R {
    this.#isBypassed = true;
    try {
      return call();
    } finally {
      this.#isBypassed = false;
    }
  }

  /** Refuses every further call. */
  refuse(reason: () => Error): void {
    this.#closedReason = reason;
    if (!this.#isInstalled) for (const { target, method } of this.#replaced) this.#install(target, method);
    this.#isInstalled = true;
  }

  /** Rejects every call in flight. */
  reject(error: Error): void {
    for (const reject of this.#inFlight) reject(error);
  }

  /** Restores the original methods until `refuse` is called. Calls already made go on. */
  remove(): void {
    if (!this.#isInstalled || this.#closedReason) return;
    this.#isInstalled = false;
    for (const { target, method, own } of this.#replaced) {
      if (own) Object.defineProperty(target, method, own);
      else Reflect.deleteProperty(target, method);
    }
  }

  #replace(target: object, method: string): void {
    if (typeof Reflect.get(target, method) !== 'function') return; // this version of node-redis does not have it
    this.#replaced.push({ target, method, own: Object.getOwnPropertyDescriptor(target, method) });
    this.#install(target, method);
  }

  #install(target: object, method: string): void {
    const original = Reflect.get(target, method) as Method;
    const intercept = (call: () => Promise<unknown>) => this.#intercept(call);
    replaceMethod(target, method, function (...args) {
      return intercept(() => original.apply(this, args));
    });
  }

  #intercept(call: () => Promise<unknown>): Promise<unknown> {
    if (this.#isBypassed) return call();
    if (this.#closedReason) return Promise.reject(this.#closedReason());
    return new Promise((resolve, reject) => {
      const settle = (settled: () => void): void => {
        this.#inFlight.delete(reject);
        settled();
      };
      this.#inFlight.add(reject);
      const succeed = (value: unknown) => settle(() => resolve(value));
      const fail = (error: unknown) => settle(() => reject(error));
      try {
        const ready = this.before();
        (ready ? ready.then(call) : Promise.resolve(call())).then(succeed, fail);
      } catch (error) {
        fail(error);
      }
    });
  }
}
