/** Names under which credentials stand, in options and in errors. */
const TELLING_KEY = /pass|pwd|secret|token|credential|auth|private|api_?key|access_?key|^(key|cert|ca|pfx)$/i;
const USER_KEY = /user(name)?$/i;
/** From `://` to the last @: whoever puts a slash into a password unencoded must not see it printed either. */
const URL_CREDENTIALS = /(?<!\bfile):\/\/[^\s"'<>]{1,4096}@/g;
/** In values that are injected, which are not an SDK's options, only a name that ends so tells a secret. */
const CERTAIN_KEY = /(pass(word|wd|phrase)?|pwd|secret|token|credentials?|(api|access|private|secret)_?key(_?id)?)$/i;
const TELLING_NAME = '(?:password|passwd|passphrase|pwd|secret|token|authorization|(?:api|access|secret)[-_]?key)';
const QUOTED = String.raw`(?:(?<!\\)"(?:[^"\\\n]|\\.)+|\\"[^"\\\n]+|(?<!\\)'(?:[^'\\\n]|\\.)+)`;
const BARE = String.raw`[^\s&"'\\;,)}\]]+`;
/** What stands before a credential in a text, in the first group, and the credential. */
const TELLING_TEXTS = [
  // JSON, also in JSON, or what `inspect` prints: "password": "…"
  new RegExp(String.raw`(${TELLING_NAME}\\?["']?\s{0,4}[=:]\s{0,4})${QUOTED}`, 'gi'),
  // A query or a connection string: password=…
  new RegExp(String.raw`(${TELLING_NAME}\s{0,4}=\s{0,4})${BARE}`, 'gi'),
  // A header or a line of YAML, but not prose such as "token: expired": what follows does not look like a word.
  new RegExp(
    String.raw`((?<![a-z])${TELLING_NAME}["']?\s{0,4}:\s{0,4}(?:(?:bearer|basic|digest|token|apikey|negotiate) +)?)(?=[a-z.]{0,40}[\d_+/=$!#%^*~-]|[a-z]{12})${BARE}`,
    'gi',
  ),
  // A header by its value.
  /(\b(?:bearer|basic) +)(?=[a-z.~-]{0,80}[\d+/=_])[\w+/=.~-]{8,}/gi,
];
const STRUCK = '***';
/** Shorter ones would strike out half of every message; nobody protects a server with two letters. */
const SHORTEST_SECRET = 3;
/** Short user names are words: `app`, `default`, `admin`. */
const SHORTEST_USER = 8;
/** So are short values in an application's own settings. */
const SHORTEST_INJECTED = 6;
/** More than any options hold; of a secret that is renewed with each build, the oldest are forgotten. */
const MOST_SECRETS = 1_000;
/** What refers to more objects than this is not searched to its end. */
const MOST_OBJECTS = 5_000;

/**
 * Strikes a client's credentials out of everything that is published about it.
 *
 * It knows the secrets in the options that it was shown, and recognises those in URLs and under names like `password`.
 */
export class Redactor {
  readonly #secrets = new Set<string>();

  /** Remembers every credential in `options`: what stands under a telling name, in a URL, or in its query. */
  keep(options: unknown): void {
    // What stands under a telling name is secret as a whole: `credentials: { … }`.
    search(options, TELLING_KEY, (value, key) => {
      if (typeof value === 'number') this.#keepValue(String(value), key);
      else this.#keepText(value, key);
    });
  }

  /** Remembers the credentials in injected values that are plain data: through a service one comes to half the process. */
  keepData(values: readonly unknown[]): void {
    search(values.filter(isData), undefined, (value, key) => {
      if (typeof value === 'number') return;
      this.#keepText(value, '');
      if (CERTAIN_KEY.test(key) && value.length >= SHORTEST_INJECTED) this.#secrets.add(value);
    });
  }

  /** The text without credentials. */
  text(text: string): string {
    let clean = text.includes('@') ? text.replace(URL_CREDENTIALS, `://${STRUCK}@`) : text;
    for (const telling of TELLING_TEXTS) clean = clean.replace(telling, `$1${STRUCK}`);
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, STRUCK);
    return clean;
  }

  /**
   * The error itself if it is plain data without a credential, however deep; otherwise a copy with its name, message,
   * stack, code and cause, without credentials, and nothing else. ioredis, for one, puts `AUTH user password` on its errors.
   */
  error(error: unknown): Error {
    try {
      if (error instanceof Error && this.#isClean(error)) return error;
      return this.#copy(error, new Set());
    } catch {
      return new Error('something was thrown that cannot be read'); // a getter or a proxy of it throws
    }
  }

  #keepText(text: string, key: string): void {
    this.#keepValue(text, key);
    for (const [found] of text.matchAll(URL_CREDENTIALS)) {
      const [user = '', ...password] = found.slice('://'.length, -1).split(':');
      this.#keepValue(user, 'user');
      this.#keepValue(password.join(':'), 'password');
    }
    for (const [, name = '', value = ''] of text.matchAll(/[?&]([^=&\s]+)=([^&#\s]+)/g)) this.#keepValue(value, name);
  }

  #keepValue(value: string, key: string): void {
    const shortest = TELLING_KEY.test(key) ? SHORTEST_SECRET : USER_KEY.test(key) ? SHORTEST_USER : Infinity;
    for (const form of [value, decode(value)]) if (form.length >= shortest) this.#secrets.add(form);
    for (const oldest of this.#secrets) {
      if (this.#secrets.size <= MOST_SECRETS) break;
      this.#secrets.delete(oldest);
    }
  }

  #copy(error: unknown, seen: Set<unknown>): Error {
    seen.add(error);
    const copy = new Error(this.text(describeError(error)));
    if (typeof error !== 'object' || error === null) return copy;
    if ('code' in error && typeof error.code === 'string') Object.assign(copy, { code: this.text(error.code) });
    if (!(error instanceof Error)) return copy;
    copy.name = this.text(nameOf(error));
    if (typeof error.stack === 'string') copy.stack = this.text(error.stack);
    if (error.cause !== undefined && !seen.has(error.cause)) copy.cause = this.#copy(error.cause, seen);
    return copy;
  }

  /** Whether neither `inspect` nor `JSON.stringify` can print a credential: only plain data without one is clean. */
  #isClean(root: Error): boolean {
    const seen = new Set<object>();
    const visit = (value: unknown, key: string): boolean => {
      if (typeof value === 'function') return false;
      if (typeof value === 'string') return (value === '' || !TELLING_KEY.test(key)) && this.text(value) === value;
      if (typeof value === 'number') return !this.#secrets.has(String(value));
      if (typeof value !== 'object' || value === null || seen.has(value)) return true;
      seen.add(value);
      if (seen.size > MOST_OBJECTS || !isPlainData(value) || isAuthentication(value)) return false;
      if (value instanceof Error && ![value.name, value.message, value.stack ?? ''].every((text) => visit(text, ''))) {
        return false;
      }
      return entries(value).every(([name, item]) => this.text(name) === name && visit(item, name));
    };
    return visit(root, '');
  }
}

/** What an error says. Node leaves the message of an AggregateError empty: a refused connection is one. */
export function describeError(error: unknown): string {
  if (typeof error === 'string') return error;
  if (!(error instanceof Error)) return describeThrown(error);
  if (typeof error.message === 'string' && error.message !== '') return error.message;
  if (error instanceof AggregateError && Array.isArray(error.errors)) {
    const messages = error.errors.filter((inner) => inner instanceof Error && !(inner instanceof AggregateError));
    if (messages.length > 0) return messages.map(describeError).join('; ');
  }
  return 'code' in error && typeof error.code === 'string' ? error.code : nameOf(error);
}

function describeThrown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `${String(value)} was thrown, which is no Error`;
  const message: unknown = Reflect.get(value, 'message');
  return typeof message === 'string' && message !== '' ? message : 'an object was thrown that is no Error';
}

function nameOf(error: Error): string {
  const name: unknown = error.name; // may have been overwritten with anything
  return String(name);
}

/** An object's own values by name, those of Maps and Sets included. No getter is called. */
function entries(value: object): [string, unknown][] {
  const own = Reflect.ownKeys(value).map((key): [string, unknown] => {
    const property = Object.getOwnPropertyDescriptor(value, key);
    return [String(key), property?.value];
  });
  if (value instanceof Map) return [...own, ...[...value].map(([key, item]): [string, unknown] => [String(key), item])];
  if (value instanceof Set) return [...own, ...[...value].map((item): [string, unknown] => ['', item])];
  return own;
}

/**
 * Calls `visit` for each text and number that `root` is or holds, however deep, with the name that it stands under; or with
 * one further up, if it is such that all below it has `inherited` it.
 */
function search(
  root: unknown,
  inherited: RegExp | undefined,
  visit: (value: string | number, key: string) => void,
): void {
  const seen = new Set<object>();
  const look = (value: unknown, key: string): void => {
    if (typeof value === 'number' || typeof value === 'string') visit(value, key);
    else if (value instanceof URL) visit(value.href, key);
    else if (value instanceof Uint8Array) visit(Buffer.from(value).toString(), key);
    else if (typeof value === 'object' && value !== null && !seen.has(value) && seen.size < MOST_OBJECTS) {
      seen.add(value);
      for (const [name, item] of entries(value)) look(item, inherited?.test(key) ? key : name);
    }
  };
  look(root, '');
}

function isData(value: unknown): boolean {
  if (typeof value === 'string') return true;
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value) || value instanceof URL || value instanceof Uint8Array) return true;
  return [null, Object.prototype].includes(Object.getPrototypeOf(value) as object | null);
}

/** Whether an object is printed as the data that it holds, by nothing that could print something else. */
function isPlainData(value: object): boolean {
  if ('toJSON' in value && !(value instanceof Date)) return false;
  if (Symbol.for('nodejs.util.inspect.custom') in value) return false;
  for (const key of Reflect.ownKeys(value)) {
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (property?.get && key !== 'stack') return false; // V8 has made an accessor of it
  }
  if (value instanceof Error || Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return [null, Object.prototype, Map.prototype, Set.prototype, Date.prototype].includes(prototype as object | null);
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
