import type { Dependency, InjectedValues } from './dependency.js';

/**
 * How to build, watch and close one kind of client. Only `create` is required.
 *
 * Every function but `create` gets the client that `create` returned. Each may return a promise, and an error that it
 * throws is reported under the client's name; none can crash the process.
 *
 * @example
 * const pool: ClientDriver<Pool> = {
 *   inject: [ConfigService],
 *   create: (config: ConfigService) => new Pool({ connectionString: config.getOrThrow('PG_URL') }),
 *   check: (client) => client.query('select 1'),
 *   close: (client) => client.end(),
 * };
 */
export interface ClientDriver<T, I extends readonly Dependency[] = readonly Dependency[]> {
  /** What kind of client this is, as `status()` shows it. Default `'custom'`. */
  kind?: string;
  /**
   * What `create` needs from Nest, in order: tokens, `{ token, optional: true }`, `forwardRef(() => Token)`. Other clients
   * too: `getClientToken('dynamodb')`. Default none.
   */
  inject?: readonly [...I] | readonly Dependency[];
  /**
   * Constructs the client, without any I/O. It is called once, when the client is first injected. Parameters are typed by
   * the classes in `inject`; annotate those that a string or symbol stands for.
   */
  create(...dependencies: InjectedValues<I>): T | Promise<T>;
  /** Opens the client's connections. It is called in the background after bootstrap. */
  connect?(client: T): unknown;
  /** One cheap round trip that rejects when the client cannot be used. */
  check?(client: T): unknown;
  /** Closes the client gracefully. Default: its `Symbol.asyncDispose`, then its `Symbol.dispose`, if it has one. */
  close?(client: T): unknown;
  /** Destroys the client by force, after `close` failed or passed its deadline; or if the client has no graceful close. */
  destroy?(client: T): unknown;
  /** Subscribes `report` to the client's background errors. It is called once, right after `create`. */
  onError?(client: T, report: (error: unknown) => void): unknown;
  /**
   * Subscribes `report` to the client's connection. It is called once, right after `create`. Report each gain and each
   * loss once, with the reason if it is known. `'disconnected'` before the first `'connected'` means that the server hung up
   * before the client was ready; it is published as an error.
   */
  onConnection?(client: T, report: (state: 'connected' | 'disconnected', reason?: unknown) => void): unknown;
}

/** The hooks of a driver that take a client that is built. */
export type ClientBehaviour<T> = Pick<
  ClientDriver<T>,
  'connect' | 'check' | 'close' | 'destroy' | 'onError' | 'onConnection'
>;
