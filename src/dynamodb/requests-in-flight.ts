import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ClientsClosedError } from '../errors/clients-closed.error.js';

/** A DynamoDB client or a document client: what matters is that a document client shares the stack of its base. */
type StackOwner = { readonly middlewareStack: object };

/** By middleware stack, so that a client and the document clients built on it count together. */
const byStack = new WeakMap<object, RequestsInFlight>();

/**
 * The requests that a client has not answered yet. The SDK does not keep count: its `destroy()` resets the sockets of
 * requests in flight, the retry then sends those again over a new socket, and a later `send` opens one too.
 */
export class RequestsInFlight {
  readonly #requests = new Set<Promise<unknown>>();
  readonly #attempts = new Set<Promise<unknown>>();
  readonly #probes = new Set<AbortController>();
  readonly #name: string;
  #closed = false;
  #destroyed = false;
  #resetSockets = (): void => {};

  /** The requests of this client, counted from the first call on; late ones are refused under the name given then. */
  static of(client: StackOwner, name = 'dynamodb'): RequestsInFlight {
    const stack = client.middlewareStack as DynamoDBClient['middlewareStack'];
    let requests = byStack.get(stack);
    if (!requests) {
      requests = new RequestsInFlight(stack, name);
      byStack.set(stack, requests);
    }
    return requests;
  }

  private constructor(stack: DynamoDBClient['middlewareStack'], name: string) {
    this.#name = name;
    // Outermost: once per request, whatever its retries.
    stack.add(
      (next) => (args) => {
        if (this.#closed) return Promise.reject(this.#closedError());
        return track(this.#requests, next(args));
      },
      { step: 'initialize', priority: 'high' },
    );
    // Within the retry: once per attempt.
    stack.add(
      (next) => async (args) => {
        if (this.#destroyed) throw this.#closedError();
        try {
          return await track(this.#attempts, next(args));
        } catch (error) {
          if (!this.#destroyed) throw error;
          // Node's agent has just opened another socket for a request that was waiting for one. Reset it, before it sends.
          this.#resetSockets();
          // Without a cause: the SDK looks into the cause for a connection error, and would retry.
          throw this.#closedError();
        }
      },
      { step: 'deserialize', priority: 'high' },
    );
  }

  /** Resolves when the requests that are in flight now have been answered. */
  async drain(): Promise<void> {
    await Promise.allSettled(this.#requests);
  }

  /** Refuses new requests, and resolves when those in flight have been answered. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const probe of this.#probes) probe.abort(this.#closedError());
    await this.drain();
  }

  /** Waits no longer for the requests that are in flight now. */
  abandon(): void {
    this.#requests.clear();
  }

  /** Refuses new requests and retries; those in flight go on. */
  refuse(): void {
    this.#closed = this.#destroyed = true;
  }

  /** Refuses new requests and retries, and resolves when `resetSockets` has ended every attempt under way. */
  async destroy(resetSockets: () => void): Promise<void> {
    this.refuse();
    this.#resetSockets = resetSockets;
    resetSockets();
    await Promise.allSettled(this.#attempts);
  }

  /** Sends a request that is given up after `timeout` ms, and at once when the client closes. */
  async probe<R>(timeout: number, send: (abortSignal: AbortSignal) => Promise<R>): Promise<R> {
    const probe = new AbortController();
    const timeUp = new Error(`DynamoDB did not answer within ${timeout} ms`);
    const timer = setTimeout(() => probe.abort(timeUp), timeout).unref();
    this.#probes.add(probe);
    try {
      return await send(probe.signal);
    } catch (error) {
      throw probe.signal.aborted ? probe.signal.reason : error;
    } finally {
      clearTimeout(timer);
      this.#probes.delete(probe);
    }
  }

  #closedError(): ClientsClosedError {
    return new ClientsClosedError(this.#name);
  }
}

function track<R>(set: Set<Promise<unknown>>, promise: Promise<R>): Promise<R> {
  set.add(promise);
  return promise.finally(() => set.delete(promise));
}
