/**
 * How a client is managed: the same options for every kind of client.
 *
 * @example
 * redisClient('redis://localhost:6379', { eager: true, closeTimeout: 2_000 });
 */
export interface ClientLifecycle {
  /**
   * Builds the client at bootstrap even if nobody injects it. Its token is then an ordinary singleton, so that
   * `app.get(getClientToken(name))` works. Default `false`.
   */
  eager?: boolean;
  /**
   * When connections open: as soon as the client is built, once bootstrap has succeeded, or with the first use. With
   * `'build'`, hooks such as `onModuleInit` find the client connecting, or connected if `waitUntilReady` is set too; but a
   * bootstrap that fails may leave it open. Default `'bootstrap'`.
   */
  connect?: 'build' | 'bootstrap' | 'use';
  /**
   * Bootstrap, or the first injection if that comes later, waits until the client's check passes, and fails when it
   * has not passed within `createTimeout`. With `connect: 'build'` it is always the injection that waits. Default `false`.
   */
  waitUntilReady?: boolean;
  /** Milliseconds for building the client, including what it injects. Default 10,000. */
  createTimeout?: number;
  /** Milliseconds for closing gracefully, before the client is destroyed by force. Default 5,000. */
  closeTimeout?: number;
  /** `false`: the client belongs to somebody else and is never closed by this module. Default `true`. */
  owned?: boolean;
  /**
   * `'process'`: one client for every Nest application in the process that declares this same definition, closed when
   * the last of them closes. Default `'app'`.
   */
  scope?: 'app' | 'process';
}

export type ResolvedLifecycle = Readonly<Required<ClientLifecycle>>;

export const DEFAULT_LIFECYCLE: ResolvedLifecycle = {
  eager: false,
  connect: 'bootstrap',
  waitUntilReady: false,
  createTimeout: 10_000,
  closeTimeout: 5_000,
  owned: true,
  scope: 'app',
};

/** Milliseconds. With a longer delay, setTimeout fires at once. */
export const LONGEST_TIMEOUT = 2 ** 31 - 1;
