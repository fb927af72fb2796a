const SECRET_KEY = /pass|secret|token|credential|auth|private|^(key|cert|ca|pfx|user|username|accessKeyId)$/i;
const URL_CREDENTIALS = /([a-z][a-z\d+.-]*:\/\/)[^\s/?#"']*@/gi;
const STRUCK = '***';
/** Shorter ones would strike out half of every message; nobody protects a server with two letters. */
const SHORTEST_SECRET = 3;
/** An error that refers to more objects than this is not searched to its end; it is copied instead. */
const MOST_OBJECTS = 5_000;

/**
 * Strikes a client's credentials out of everything that is published about it.
 *
 * It knows the secrets in the options that it was shown, and recognises those in URLs and under names like `password`.
 */
export class Redactor {
  readonly #secrets = new Set<string>();

  /** Remembers every credential in `options`: what stands under a telling name, or before the @ of a URL. */
  keep(options: unknown): void {
    for (const { value, secret } of strings(options, false)) {
      if (secret) this.#add(value);
      for (const [url] of value.matchAll(URL_CREDENTIALS)) {
        const [user = '', ...password] = url.slice(url.indexOf('://') + 3, -1).split(':');
        for (const part of [user, password.join(':')]) {
          this.#add(part);
          this.#add(decode(part));
        }
      }
    }
  }

  /** The text without credentials. */
  text(text: string): string {
    let clean = text.replace(URL_CREDENTIALS, `$1${STRUCK}@`);
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, STRUCK);
    return clean;
  }

  /**
   * The error itself if nothing in it is a credential, however deep; otherwise a copy that has its name, message, stack,
   * code and cause, without credentials, and nothing else. ioredis, for one, puts `AUTH user password` on its errors.
   */
  error(error: unknown): Error {
    if (error instanceof Error && !this.#foundIn(error)) return error;
    if (!(error instanceof Error)) return new Error(this.text(describeError(error)));

    const copy = new Error(this.text(describeError(error)));
    copy.name = error.name;
    if (error.stack) copy.stack = this.text(error.stack);
    if ('code' in error && typeof error.code === 'string') Object.assign(copy, { code: error.code });
    if (error.cause !== undefined) copy.cause = this.error(error.cause);
    return copy;
  }

  #add(secret: string): void {
    if (secret.length >= SHORTEST_SECRET) this.#secrets.add(secret);
  }

  #foundIn(error: Error): boolean {
    let objects = 0;
    for (const { value, secret, isObject } of strings(error, true)) {
      if (isObject && ++objects > MOST_OBJECTS) return true;
      if (secret || this.text(value) !== value) return true;
    }
    return false;
  }
}

/** What an error says. Node leaves the message of an AggregateError empty: a refused connection is one. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : `something that is no Error was thrown`;
  if (error.message) return error.message;
  if (error instanceof AggregateError) return error.errors.map(describeError).join('; ');
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

interface Finding {
  value: string;
  secret: boolean;
  isObject?: boolean;
}

/** Every string that can be reached from `root` without calling a getter. */
function* strings(root: unknown, inError: boolean): Generator<Finding> {
  const seen = new Set<unknown>();
  const rest: { value: unknown; secret: boolean }[] = [{ value: root, secret: false }];
  for (let next = rest.pop(); next; next = rest.pop()) {
    const { value, secret } = next;
    if (typeof value === 'string') {
      if (value) yield { value, secret };
      continue;
    }
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) continue;
    seen.add(value);
    yield { value: '', secret: inError && isAuthentication(value), isObject: true };
    if (value instanceof Map || value instanceof Set) for (const item of value) rest.push({ value: item, secret });
    for (const key of Reflect.ownKeys(value)) {
      const property = Object.getOwnPropertyDescriptor(value, key);
      rest.push({ value: property?.value, secret: secret || SECRET_KEY.test(String(key)) });
    }
  }
}

/** An ioredis command that carries a password in its arguments. */
function isAuthentication(value: object): boolean {
  return 'args' in value && 'name' in value && (value.name === 'auth' || value.name === 'hello');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
