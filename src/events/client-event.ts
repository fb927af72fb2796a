interface Happened {
  /** The client's name. */
  readonly client: string;
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
  | (Happened & { readonly type: 'creating'; readonly consumer?: string })
  /** The client is built. Its connections may not be open yet. */
  | (Happened & { readonly type: 'created'; readonly duration: number; readonly consumer?: string })
  /** Building failed or passed its deadline; the next injection tries again. */
  | (Happened & { readonly type: 'createFailed'; readonly duration: number; readonly error: Error })
  /** A class that had not been given the client yet was given it. */
  | (Happened & { readonly type: 'injected'; readonly consumer: string })
  /** The connections that bootstrap opens are open. */
  | (Happened & { readonly type: 'connected'; readonly duration: number })
  /** The client reported an error in the background. */
  | (Happened & { readonly type: 'error'; readonly error: Error })
  /** Closing began. */
  | (Happened & { readonly type: 'closing' })
  /** The client closed gracefully. */
  | (Happened & { readonly type: 'closed'; readonly duration: number })
  /** Closing failed or passed its deadline; the client was then destroyed by force, if its driver can. */
  | (Happened & { readonly type: 'closeFailed'; readonly duration: number; readonly error: Error });

type Unstamped<E> = E extends ClientEvent ? Omit<E, keyof Happened> : never;

/** An event before the registry has said which client it is about, and when. */
export type ClientOccurrence = Unstamped<ClientEvent>;
