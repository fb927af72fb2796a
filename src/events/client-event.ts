interface EventContext {
  /** The client's name. */
  readonly client: string;
  /** Of a keyed client: the key of the one that it is about. */
  readonly key?: string;
  readonly at: Date;
}

/**
 * What happens in a client's life, as `ClientRegistry.events$` tells it. Durations are milliseconds; errors hold no
 * credential.
 *
 * @example
 * registry.events$.subscribe((event) => {
 *   if (event.type === 'created') histogram.record(event.duration, { client: event.client });
 * });
 */
export type ClientEvent =
  /** Building began, for the class that injects it first if one does. */
  | (EventContext & { readonly type: 'creating'; readonly consumer?: string })
  /** The client is built. Its connections may not be open yet. */
  | (EventContext & { readonly type: 'created'; readonly duration: number; readonly consumer?: string })
  /** Building failed or passed its deadline; the next injection tries again. */
  | (EventContext & { readonly type: 'createFailed'; readonly duration: number; readonly error: Error })
  /** A class that had not been given the client yet was given it. */
  | (EventContext & { readonly type: 'injected'; readonly consumer: string })
  /**
   * The connection is there: for the first time, or again after a loss. `duration` is the time that connecting took, or,
   * after a loss, how long the connection was gone.
   */
  | (EventContext & { readonly type: 'connected'; readonly duration: number })
  /** A connection that was there is lost while the client is open; `error` is the reason, if one is known. */
  | (EventContext & { readonly type: 'disconnected'; readonly error?: Error })
  /** The client reported an error in the background. */
  | (EventContext & { readonly type: 'error'; readonly error: Error })
  /** Closing began. */
  | (EventContext & { readonly type: 'closing' })
  /** The client closed gracefully. */
  | (EventContext & { readonly type: 'closed'; readonly duration: number })
  /** Closing failed or passed its deadline; the client was then destroyed by force, if its driver can. */
  | (EventContext & { readonly type: 'closeFailed'; readonly duration: number; readonly error: Error });

type Unstamped<E> = E extends ClientEvent ? Omit<E, 'client' | 'at'> : never;

/** An event before the registry has said which client it is about, and when. */
export type ClientEventDetails = Unstamped<ClientEvent>;
