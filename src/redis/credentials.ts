import { isObject } from '../definition/rules.js';
import { describeError } from '../errors/describe-error.js';

/**
 * User name and password of a Redis connection.
 *
 * @example
 * const credentials: RedisCredentials = { username: 'app', password: token, expiresAt: new Date(Date.now() + 900_000) };
 */
export interface RedisCredentials {
  /** Default: the option `username`, else Redis's user `default`. */
  username?: string | undefined;
  /** The password, or a token in place of one. */
  password: string;
  /** When the password expires. Open connections log in again before that time. Default: never. */
  expiresAt?: Date | undefined;
}

/**
 * Returns user name and password. It is called at each attempt to connect, for every connection.
 *
 * @example
 * const credentials: RedisCredentialsProvider = async () => ({ username: 'app', password: await readSecret('redis') });
 */
export type RedisCredentialsProvider = () => Promise<RedisCredentials>;

/** The options with a provider that shows `show` what it returns. */
export function showCredentials<O extends { credentials?: RedisCredentialsProvider | undefined }>(
  options: O,
  show: (secrets: unknown) => void,
): O {
  const { credentials } = options;
  if (!credentials) return options;
  const shown: RedisCredentialsProvider = async () => {
    const answer: unknown = await credentials();
    if (isObject(answer)) show({ username: answer['username'], password: answer['password'] });
    return answer as RedisCredentials;
  };
  return { ...options, credentials: shown };
}

/** A question to a provider that is under way. */
export interface PendingCredentials {
  /** Rejects if the provider does, if it returns what is no credential, if it takes too long, or once cancelled. */
  readonly result: Promise<RedisCredentials>;
  /** Waits for the answer no longer. */
  cancel(): void;
}

/**
 * Asks a provider for credentials.
 *
 * @param timeout milliseconds that it may take; `0` or `undefined`: as long as it likes, as ioredis reads `connectTimeout`
 * @param pause milliseconds to wait before it is asked
 */
export function askForCredentials(
  ask: RedisCredentialsProvider,
  timeout: number | undefined,
  pause = 0,
): PendingCredentials {
  const ended = new AbortController();
  const end = (message: string): void => ended.abort(new Error(message));
  const timer = timeout
    ? setTimeout(end, pause + timeout, `credentials() gave no answer within ${timeout} ms (connectTimeout)`)
    : undefined;
  timer?.unref(); // whatever the provider waits for keeps the process alive, if anything should
  const result = new Promise<RedisCredentials>((resolve, reject) => {
    ended.signal.addEventListener('abort', () => reject(ended.signal.reason as Error), { once: true });
    parseAnswer(ask, pause, ended.signal).then(resolve, (error: unknown) => {
      reject(new Error(`credentials() failed: ${describeError(error)}`, { cause: error }));
    });
  });
  return { result: result.finally(() => clearTimeout(timer)), cancel: () => end('Connection is closed.') };
}

async function parseAnswer(
  ask: RedisCredentialsProvider,
  pause: number,
  signal: AbortSignal,
): Promise<RedisCredentials> {
  if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause).unref());
  signal.throwIfAborted();
  return parseCredentials(await ask());
}

function parseCredentials(value: unknown): RedisCredentials {
  const problem = findProblem(value);
  if (problem) throw new TypeError(`it must return { username?, password, expiresAt? }, and ${problem}`);
  return value as RedisCredentials;
}

function findProblem(value: unknown): string | undefined {
  if (!isObject(value)) return 'returned no object';
  const { username, password, expiresAt } = value;
  if (typeof password !== 'string' || password === '') return '"password" is not a string, or an empty one';
  if (username !== undefined && username !== null && typeof username !== 'string') return '"username" is not a string';
  if (expiresAt === undefined || expiresAt === null) return undefined;
  return expiresAt instanceof Date && !Number.isNaN(expiresAt.getTime())
    ? undefined
    : '"expiresAt" is not a valid Date';
}
