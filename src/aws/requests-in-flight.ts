import type { Answer, AwsClient, MiddlewareStack, RequestHandler } from './aws-sdk.js';
import { NotRetried, Probe } from './probe.js';
import { RequestRefusedError } from './request-refused.error.js';
import { awaitEnd, breakOff, findResponseBody, needsConnection, type ResponseBody } from './response-body.js';

/** Whose sockets a client uses. */
export type Ownership =
  /** A handler that the client has made for itself. */
  | 'own'
  /** A handler that the client has made for itself, with an agent of the caller's in it. */
  | 'agent-of-caller'
  | 'handler-of-caller';

interface Request {
  /** Rejects what the caller waits for. */
  reject(reason: Error): void;
  /** The body that the caller reads by himself, once the answer has begun. */
  body?: ResponseBody | undefined;
  /** Resolves when it has been answered, body included. */
  done: Promise<void>;
  /** Nobody waits for it any more. */
  isAbandoned?: boolean;
}

/** What the SDK sends by itself in the middle of another request: a session for S3 Express, an endpoint for DynamoDB. */
const INNER_COMMANDS = new Set(['CreateSessionCommand', 'DescribeEndpointsCommand']);

/** Milliseconds. Whoever asks has a deadline of its own; this one ends the requests of a check, so that none pile up. */
const CHECK_TIMEOUT = 5_000;

/** By middleware stack, so that a client and the document clients built on it count together. */
const byStack = new WeakMap<object, RequestsInFlight>();

/**
 * The requests that a client has not answered yet. The SDK does not keep count: its `destroy()` resets the sockets of
 * requests in flight, the retry then sends those again over a new socket, and a later `send` opens one too.
 */
export class RequestsInFlight {
  readonly #requests = new Set<Request>();
  readonly #attempts = new Set<Promise<unknown>>();
  /** Of another client, which was given this one's handler. */
  readonly #foreign = new Set<Promise<unknown>>();
  readonly #own = new WeakSet<object>();
  /** Of the attempts that destroying the handler does not end. */
  readonly #aborts = new Set<AbortController>();
  readonly #probes = new Set<Probe>();
  /** The checks under way, by whom they are about: a client, or a document client. */
  readonly #checks = new Map<object, Promise<void>>();
  readonly #name: string;
  readonly #ownership: Ownership;
  readonly #resetSockets: () => void;
  #isClosed = false;
  #isDestroyed = false;

  /**
   * The requests of this client, counted from the first call on; late ones are refused under the name given then.
   *
   * @param ownership default: for a client made elsewhere, whose sockets belong to its maker
   */
  static of(client: AwsClient, name = 'aws', ownership: Ownership = 'handler-of-caller'): RequestsInFlight {
    let requests = byStack.get(client.middlewareStack);
    if (!requests) {
      requests = new RequestsInFlight(client, name, ownership);
      byStack.set(client.middlewareStack, requests);
    }
    return requests;
  }

  private constructor(client: AwsClient, name: string, ownership: Ownership) {
    this.#name = name;
    this.#ownership = ownership;
    this.#resetSockets = () => client.destroy();
    const stack = client.middlewareStack as MiddlewareStack;
    // Outermost: once per request, whatever its retries.
    stack.add(
      (next, context) => async (args) => {
        if (this.#isClosed && !this.#isInner(context.commandName)) throw this.#closedError();
        const probe = Probe.current;
        return probe ? sendForProbe(probe, next(args)) : this.#track(next(args));
      },
      { step: 'initialize', priority: 'high' },
    );
    // Within the retry: once per attempt.
    stack.add(
      (next) => (args) => {
        this.#own.add((args as { request: object }).request);
        return this.#attempt(() => next(args));
      },
      { step: 'deserialize', priority: 'high' },
    );
    if (ownership !== 'handler-of-caller') this.#makeAbortable(client);
  }

  /** Resolves when the requests that are in flight now have been answered, and their bodies read. */
  async drain(): Promise<void> {
    const unfinished = [...this.#requests].filter(
      ({ body, isAbandoned }) => !isAbandoned && (!body || needsConnection(body)),
    );
    await Promise.allSettled(unfinished.map(({ done }) => done));
  }

  /** Refuses new requests, and resolves when those in flight have been answered. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const probe of this.#probes) probe.abort(this.#closedError());
    await this.drain();
    await Promise.allSettled(this.#foreign);
    await this.destroy();
  }

  /** Waits no longer for the requests that are in flight now. */
  abandon(): void {
    for (const request of this.#requests) request.isAbandoned = true;
  }

  /** Refuses new requests and retries, rejects those in flight, and resolves when every attempt under way has ended. */
  async destroy(): Promise<void> {
    this.#isClosed = this.#isDestroyed = true;
    const reason = this.#closedError();
    for (const probe of this.#probes) probe.abort(reason);
    for (const request of this.#requests) {
      request.reject(reason);
      if (request.body && needsConnection(request.body)) breakOff(request.body, reason);
    }
    for (const abort of this.#aborts) abort.abort(reason);
    if (this.#ownership === 'own') this.#resetSockets();
    // What goes through a handler of the caller's ends when that does.
    if (this.#ownership !== 'handler-of-caller') await Promise.allSettled(this.#attempts);
  }

  /**
   * Looks whether the service answers. One look at a time, which whoever asks meanwhile shares. Given up after
   * `CHECK_TIMEOUT`, and at once when the client closes.
   *
   * @param subject whom it is about: the client, or a document client on it
   * @param service what to call the service when it does not answer
   */
  check(subject: object, service: string, look: (abortSignal: AbortSignal) => unknown): Promise<void> {
    let check = this.#checks.get(subject);
    if (!check) {
      check = this.#look(service, look).finally(() => this.#checks.delete(subject));
      this.#checks.set(subject, check);
    }
    return check;
  }

  async #look(service: string, look: (abortSignal: AbortSignal) => unknown): Promise<void> {
    if (this.#isClosed) throw this.#closedError();
    const probe = new Probe();
    const timeUp = () => probe.abort(new Error(`${service} did not answer within ${CHECK_TIMEOUT} ms`));
    const timer = setTimeout(timeUp, CHECK_TIMEOUT).unref();
    this.#probes.add(probe);
    try {
      await probe.run(look);
    } finally {
      clearTimeout(timer);
      this.#probes.delete(probe);
    }
  }

  /** Settles as the answer does, or when the client is destroyed, for the SDK may be waiting for its next attempt. */
  #track(answer: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request: Request = { reject, done: Promise.resolve() };
      this.#requests.add(request);
      answer.then(resolve, reject);
      request.done = this.#awaitBody(request, answer).finally(() => this.#requests.delete(request));
    });
  }

  /** Resolves when the request has failed, or has been answered and its body read. */
  async #awaitBody(request: Request, answer: Promise<Answer>): Promise<void> {
    const result = await answer.catch(() => undefined); // the caller gets the error
    request.body = result && findResponseBody(result);
    if (!request.body) return;
    if (this.#isDestroyed) breakOff(request.body, this.#closedError());
    await awaitEnd(request.body);
  }

  async #attempt(send: () => Promise<Answer>): Promise<Answer> {
    if (this.#isDestroyed) throw this.#closedError();
    const attempt = (): Promise<Answer> => track(this.#attempts, send());
    try {
      return await (Probe.current ? attempt().catch((error: unknown) => tryAgain(error, attempt)) : attempt());
    } catch (error) {
      if (this.#isDestroyed) {
        // Node's agent has just opened another socket for a request that was waiting for one. Reset it, before it sends.
        if (this.#ownership === 'own') this.#resetSockets();
        // Without a cause: the SDK looks into the cause for a connection error, and would retry.
        throw this.#closedError();
      }
      throw Probe.current ? new NotRetried(error) : error;
    }
  }

  /** Counts what goes through the handler, and gives a signal to the attempts that have to be ended one by one. */
  #makeAbortable(client: AwsClient): void {
    const handler = (client.config as { requestHandler?: RequestHandler }).requestHandler;
    if (typeof handler?.handle !== 'function') return;
    const handle = handler.handle.bind(handler);
    const send: RequestHandler['handle'] = async (request, options = {}) => {
      const probe = Probe.current;
      // The SDK sends a large upload over an agent of its own, which destroying the handler does not reach.
      const isAlone = this.#ownership === 'agent-of-caller' || expectsContinue(request);
      if (!probe && !isAlone) return handle(request, options);
      const abort = new AbortController();
      const signals = [abort.signal, probe?.signal, options.abortSignal].filter((signal) => signal !== undefined);
      // An older kind of signal, which is not Node's, cannot be joined with another: the caller's own is then in force.
      if (!signals.every((signal) => signal instanceof AbortSignal)) return handle(request, options);
      this.#aborts.add(abort);
      try {
        return await handle(request, { ...options, abortSignal: AbortSignal.any(signals) });
      } finally {
        this.#aborts.delete(abort);
      }
    };
    handler.handle = (request, options) => {
      const answer = send(request, options);
      return this.#own.has(request) ? answer : track(this.#foreign, answer);
    };
  }

  /** Whether a request belongs to one that is in flight, and has to be answered for that one to be. */
  #isInner(commandName: string | undefined): boolean {
    return !this.#isDestroyed && this.#requests.size > 0 && INNER_COMMANDS.has(commandName ?? '');
  }

  #closedError(): RequestRefusedError {
    return new RequestRefusedError(this.#name);
  }
}

function track<R>(set: Set<Promise<unknown>>, promise: Promise<R>): Promise<R> {
  set.add(promise);
  return promise.finally(() => set.delete(promise));
}

/** The server may close a connection in the moment in which an idle one is used. That says nothing about the server. */
async function tryAgain(error: unknown, attempt: () => Promise<Answer>): Promise<Answer> {
  const { code } = error as { code?: unknown };
  if (code !== 'ECONNRESET' && code !== 'EPIPE') throw error;
  return attempt();
}

async function sendForProbe(probe: Probe, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await probe.until(answer);
  } catch (error) {
    throw error instanceof NotRetried ? error.original : error;
  }
}

function expectsContinue(request: object): boolean {
  const { headers = {} } = request as { headers?: Readonly<Record<string, unknown>> };
  return (headers['Expect'] ?? headers['expect']) === '100-continue';
}
