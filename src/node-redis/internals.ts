/** What is used of any client beyond its public types, which differ by version. */
export interface AnyInternals {
  /** The client itself; what `createClient` and the like return inherits from it. */
  readonly _self: AnyInternals;
  /** Whether it has been told to connect, and has not been closed since. */
  readonly isOpen: boolean;
  connect(): Promise<unknown>;
  destroy(): unknown;
  on(event: string, listener: (argument: Error) => void): unknown;
}

/** What is used of a client of one server. */
export interface Internals extends AnyInternals {
  readonly _self: Internals;
  readonly isReady: boolean;
  close(): Promise<void>;
  sendCommand(args: string[]): Promise<unknown>;
  /** Commands that are queued or sent. From 5.11 on. */
  readonly _getQueue?: (this: Internals) => Queue;
}

interface Queue {
  /** Queued or sent, and not answered. From 5.12 on. */
  readonly pendingCount?: number;
  isWaitingToWrite(): boolean;
  isEmpty(): boolean;
}

/** A client's commands, if its version shows them. */
export function queueOf(client: Internals): Queue | undefined {
  const { _getQueue: getQueue } = client;
  return getQueue?.call(client);
}

/** A node of a cluster, with a client once there is one. */
interface ClusterNode {
  readonly client?: Internals;
  readonly pubSub?: { readonly client?: Internals };
}

/** What is used of a cluster. */
export interface ClusterInternals extends AnyInternals {
  readonly _self: ClusterInternals;
  /** Chooses the client for each command; pipelines ask it alone. */
  readonly _slots: object;
  readonly masters: readonly ClusterNode[];
  readonly replicas: readonly ClusterNode[];
  readonly pubSubNode?: ClusterNode;
}

/** What is used of a client that asks Sentinels. */
export interface SentinelInternals extends AnyInternals {
  readonly _self: SentinelInternals;
  sendCommand(isReadonly: boolean, args: string[]): Promise<unknown>;
}

/** How a user may close a client. */
export const CLOSINGS = ['close', 'quit', 'QUIT', 'disconnect'];

/** Publishing and subscribing, under both names of each. */
export const PUB_SUB = ['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE', 'UNSUBSCRIBE', 'PUNSUBSCRIBE', 'SUNSUBSCRIBE'].concat([
  'subscribe',
  'pSubscribe',
  'sSubscribe',
  'unsubscribe',
  'pUnsubscribe',
  'sUnsubscribe',
]);

/** Replaces a method of this one object; its class is left alone. */
export function replaceMethod(
  target: object,
  method: string,
  value: (this: object, ...args: never[]) => unknown,
): void {
  Object.defineProperty(target, method, { configurable: true, writable: true, enumerable: false, value });
}

/** Makes `duplicate()` use the original options. A duplicate belongs to the user, and must not end with this client. */
export function replaceDuplicate(client: object, given: object): void {
  const original = Reflect.get(client, 'duplicate') as ((this: object, overrides?: object) => object) | undefined;
  if (!original) return; // of an older version
  replaceMethod(client, 'duplicate', function (overrides?: object) {
    return original.call(this, { ...given, ...overrides });
  });
}

/** `connect` becomes idempotent: it joins the attempt that a command or the end of bootstrap has begun. */
export function replaceConnect(client: object, open: () => Promise<unknown>): () => Promise<unknown> {
  const original = Reflect.get(client, 'connect') as (this: object) => Promise<unknown>;
  replaceMethod(client, 'connect', async function () {
    await open();
    return this;
  });
  return () => original.call(client);
}
