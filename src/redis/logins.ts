import { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import { LONGEST_TIMEOUT } from '../definition/client-lifecycle.js';
import {
  askForCredentials,
  type PendingCredentials,
  type RedisCredentials,
  type RedisCredentialsProvider,
} from './credentials.js';
import { sendOwnCommand } from './own-commands.js';

/** Milliseconds before its password expires at which a connection logs in again, or half of the time left if that is less. */
const LEAD = 180_000;
/** Milliseconds until the next try when logging in again has failed: at least, and once the password has expired. */
const SHORTEST_PAUSE = 500;
const PAUSE_WHEN_EXPIRED = 30_000;

/** What ioredis's types do not declare of a client. */
interface Internals {
  /** A mock of ioredis has none. */
  readonly connector?: Connector;
  /** Made anew at each attempt; what the connection logs in with is read from here once its socket is open. */
  readonly condition: { auth?: string | readonly [string, string] | undefined };
  readonly manuallyClosing: boolean;
  silentEmit(event: 'error', error: unknown): void;
}

interface Connector {
  /** Opens a socket; a rejection ends the client for good. */
  connect(emit: (event: string, error: Error) => void): Promise<Socket>;
  disconnect(): void;
  stream?: Socket | undefined;
  /** What ioredis reports about a socket that is destroyed before it gets it. */
  firstError?: unknown;
}

/** How a connection asks for credentials. */
export interface LoginOptions {
  /** The user name if the provider returns none. Default: that of the client's options. */
  readonly username?: string | undefined;
  /** Asks in place of the provider, at an attempt to connect. */
  readonly ask?: (() => PendingCredentials) | undefined;
  /** Called when credentials cannot be obtained, or when the server rejects those of an open connection. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

/**
 * Has a client ask for credentials at each attempt to connect, and log in again before they expire. What it is duplicated into
 * does so too. ioredis itself reads user name and password once an attempt, and synchronously, from its options.
 *
 * Credentials that cannot be had are a failed attempt: an "error" event, and then the client's `retryStrategy`.
 */
export function logInWith(client: Redis, provider: RedisCredentialsProvider, options: LoginOptions = {}): void {
  const { connector } = internalsOf(client);
  if (!connector) return; // there is nothing to log in to
  const { username: configuredUser = client.options.username, onFailure } = options;
  const askProvider = (): PendingCredentials => askForCredentials(provider, client.options.connectTimeout);
  const { ask = askProvider } = options;

  const userOf = ({ username }: RedisCredentials): string | undefined => username || configuredUser || undefined;
  let current: RedisCredentials | undefined;
  const adopt = (credentials: RedisCredentials): void => {
    const { password } = credentials;
    const username = userOf(credentials);
    current = credentials;
    // Also for what makes a connection from a copy of the options.
    client.options.password = password;
    if (username) client.options.username = username;
    internalsOf(client).condition.auth = username ? [username, password] : password;
  };

  let opening: PendingCredentials | undefined;
  const connect = connector.connect.bind(connector);
  connector.connect = async (emit) => {
    const asked = (opening = ask());
    const isCancelled = (): boolean => opening !== asked; // by disconnect()
    try {
      const credentials = await asked.result;
      if (isCancelled()) throw new Error('Connection is closed.');
      adopt(credentials);
    } catch (error) {
      // There will be no other attempt: a rejection ends the client, as it does when ioredis itself is cancelled.
      if (isCancelled() && internalsOf(client).manuallyClosing) throw error;
      if (!isCancelled()) onFailure?.(error);
      // ioredis reports that this is why the socket is dead, and goes by its retryStrategy.
      connector.firstError = isCancelled() ? undefined : error;
      return (connector.stream = new Socket().destroy());
    }
    opening = undefined;
    connector.firstError = undefined;
    return connect(emit);
  };

  const disconnect = connector.disconnect.bind(connector);
  connector.disconnect = () => {
    opening?.cancel();
    opening = undefined;
    disconnect();
  };

  let timer: NodeJS.Timeout | undefined;
  let renewal: PendingCredentials | undefined;
  /** Counts connections, so that an answer for one that is gone is not taken for one for the next. */
  let session = 0;

  const schedule = (pause: number): void => {
    const mine = session;
    clearTimeout(timer);
    timer = setTimeout(() => void renew(() => mine === session), Math.min(pause, LONGEST_TIMEOUT));
    timer.unref();
  };
  const renewInTime = (): void => {
    const left = timeLeft(current);
    if (left === undefined) clearTimeout(timer);
    else schedule(left > 0 ? Math.max(left / 2, left - LEAD) : PAUSE_WHEN_EXPIRED);
  };
  const renewLater = (): void => {
    const left = timeLeft(current) ?? 0;
    schedule(left > 0 ? Math.max(left / 2, SHORTEST_PAUSE) : PAUSE_WHEN_EXPIRED);
  };

  /** Logs in again on the connection that is open. */
  const renew = async (isOpen: () => boolean): Promise<void> => {
    try {
      // With RESP2 neither ioredis nor Redis lets a subscriber log in. It asks again when it connects again.
      if (client.mode !== 'normal') return renewLater();
      renewal = askProvider();
      const credentials = await renewal.result;
      if (!isOpen()) return;
      if (client.mode !== 'normal') return renewLater();
      const username = userOf(credentials);
      const { password } = credentials;
      await sendOwnCommand((done) => (username ? client.auth(username, password, done) : client.auth(password, done)));
      if (!isOpen()) return;
      adopt(credentials);
      renewInTime();
    } catch (error) {
      if (!isOpen()) return;
      renewLater();
      onFailure?.(error);
      internalsOf(client).silentEmit('error', error);
    }
  };

  client.on('ready', renewInTime);
  client.on('close', () => {
    session += 1;
    clearTimeout(timer);
    renewal?.cancel();
  });

  const duplicate = client.duplicate.bind(client);
  client.duplicate = (override) => {
    // It must not connect before it asks too: all that it has by itself is the password of the last login.
    const copy = duplicate({ ...override, lazyConnect: true });
    logInWith(copy, provider, { username: configuredUser, ask: options.ask });
    const { lazyConnect = client.options.lazyConnect } = override ?? {};
    if (!lazyConnect) copy.connect().catch(() => {}); // the same failure comes as an event
    return copy;
  };
}

function timeLeft(credentials: RedisCredentials | undefined): number | undefined {
  return credentials?.expiresAt ? credentials.expiresAt.getTime() - Date.now() : undefined;
}

function internalsOf(client: Redis): Internals {
  return client as unknown as Internals;
}
