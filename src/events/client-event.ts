interface EventContext {
  /** The client's name. */
  readonly client: string;
  /** The key, if the event is about a keyed client. */
  readonly key?: string;
  readonly at: Date;
}

/**
 * What happens in a client's life, as `ClientRegistry.events$` publishes it. Durations are milliseconds; errors hold no
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
  /** The client was injected into a class for the first time. */
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

/** An event without the client and the time, which the registry adds. */
export type ClientEventDetails = Unstamped<ClientEvent>;
