import { copyError } from './copy-error.js';
import { KnownSecrets } from './known-secrets.js';
import { strike, type Passage } from './passage.js';
import { printedText } from './plain-error.js';
import { CERTAIN_NAME, TELLING_NAME, USER_NAME } from './telling-names.js';
import { findByPattern, findTelling } from './telling-patterns.js';
import { unescapeText } from './unescaped-text.js';
import { findUrlCredentials } from './url-credentials.js';
import { walkValues } from './walk-values.js';

export { describeError } from '../errors/describe-error.js';

/** Longer texts are capped, so that redaction takes a few milliseconds at most, whatever a server answers. */
const LONGEST_TEXT = 8_192;
/** This many characters of a capped text are shown at its beginning, and as many at its end. */
const SHOWN = 4_000;
/** This many more are searched beyond each cut, so that a secret across the cut is found, and struck as a whole. */
const BEYOND = 4_096;
/** Characters that end an unknown secret, unless it is in quotes. */
const BREAK = /[\s"'&,;]/;
/** Shorter user names are not struck, as they are mostly ordinary words: `app`, `default`, `admin`. */
const SHORTEST_USER = 8;
/** For the same reason, shorter values in an application's own settings are not, unless they are clearly passwords. */
const SHORTEST_INJECTED = 6;
const PASSWORD_NAME = /(?<!by)pass(word|wd|phrase)?$|pwd$/i;
/** At most this many values of the options are searched, the least nested first. */
const MOST_VALUES = 10_000;
/** At most this many of their characters are searched for credentials inside a text, such as a connection string. */
const MOST_CHARACTERS = 65_536;
/** And at most this many of one text, so that a bundle of certificates does not use up the others' share. */
const MOST_OF_ONE = 16_384;

/**
 * Strikes a client's credentials out of everything that is published about it.
 *
 * It knows the secrets that it was shown, in any encoding, and recognises others in URLs and under names like
 * `password`. It allocates nothing until it is shown a secret.
 *
 * @example
 * const redactor = new Redactor();
 * redactor.keep({ url: 'redis://app:s3cret-1@localhost' });
 * redactor.text('rejected s3cret-1'); // 'rejected ***'
 */
export class Redactor {
  #known: KnownSecrets | undefined;

  /** @param inherited a redactor whose secrets are struck too: for one of several keyed clients, the one of them all */
  constructor(private readonly inherited?: Redactor) {}

  /** Remembers every credential in `options`: under a telling name such as `password`, in a URL, or in its query. */
  keep(options: unknown): void {
    let characters = 0;
    // Under a telling name, everything nested is secret too: `credentials: { … }`.
    walkValues(options, MOST_VALUES, TELLING_NAME, (value, name) => {
      this.#keepValue(String(value), name);
      if (typeof value === 'string' && characters < MOST_CHARACTERS) {
        characters += Math.min(value.length, MOST_OF_ONE);
        this.#keepFromText(value.slice(0, MOST_OF_ONE));
      }
    });
  }

  /**
   * Remembers the credentials in injected values that are plain data. Services are not searched, as they lead to half the
   * objects of the process. `names` are the tokens of the values: the value of a string token such as `DB_PASSWORD` is a
   * secret itself.
   */
  keepData(values: readonly unknown[], names: readonly unknown[] = []): void {
    let characters = 0;
    values.forEach((root, index) => {
      if (!isData(root)) return;
      walkValues(root, MOST_VALUES, undefined, (value, name) => {
        const under = names[index];
        const label = value === root && typeof under === 'string' ? under : name;
        if (PASSWORD_NAME.test(label)) this.#add(String(value));
        if (typeof value === 'number') return;
        if (CERTAIN_NAME.test(label) && value.length >= SHORTEST_INJECTED) this.#add(value);
        if (characters < MOST_CHARACTERS) {
          characters += Math.min(value.length, MOST_OF_ONE);
          this.#keepFromText(value.slice(0, MOST_OF_ONE), SHORTEST_INJECTED);
        }
      });
    });
  }

  /**
   * The text with each credential replaced by `***`. A text of more than 8,192 characters is cut to its first and last
   * 4,000, with the number of those left out in between; a credential is never cut in two.
   */
  text(text: string): string {
    if (text.length <= LONGEST_TEXT) return strike(text, this.#find(text));
    const head = text.slice(0, SHOWN + BEYOND);
    const tail = text.slice(-(SHOWN + BEYOND));
    // A run without a break up to the end of what is searched may be part of a longer secret, so it is struck.
    const tailStart = tail.search(BREAK);
    const ofHead = [...this.#find(head), { start: startOfLastRun(head), end: head.length }];
    const ofTail = [...this.#find(tail), { start: 0, end: tailStart === -1 ? tail.length : tailStart }];
    const leftOut = `\n\u2026 ${text.length - 2 * SHOWN} characters left out \u2026\n`;
    return strike(head, ofHead, 0, SHOWN) + leftOut + strike(tail, ofTail, BEYOND);
  }

  /**
   * The error itself if it is plain data, holds no credential at any depth, and is small enough to be searched;
   * otherwise a copy with its name, message, stack, code and cause, without credentials, and nothing else. ioredis, for one,
   * puts `AUTH user password` on its errors. Never throws.
   */
  error(error: unknown): Error {
    try {
      if (error instanceof Error) {
        const printed = printedText(error);
        if (printed !== undefined && strike(printed, this.#find(printed)) === printed) return error;
      }
      return copyError(error, (text) => this.text(text));
    } catch {
      return new Error('something was thrown that cannot be read'); // one of its getters, or a proxy, throws
    }
  }

  #find(text: string): Passage[] {
    const passages = this.#findPlain(text);
    const unescaped = unescapeText(text);
    if (unescaped.text === text) return passages;
    return [...passages, ...this.#findPlain(unescaped.text).map((passage) => unescaped.toOriginal(passage))];
  }

  #findPlain(text: string): Passage[] {
    const recognised = findTelling(text);
    const known = this.#findKnown(text);
    return known.length > 0 ? [...recognised, ...known] : recognised;
  }

  #findKnown(text: string): Passage[] {
    const own = this.#known?.find(text) ?? [];
    return this.inherited ? [...own, ...this.inherited.#findKnown(text)] : own;
  }

  /** Remembers the credentials inside a text: of a URL, its query or a connection string. */
  #keepFromText(text: string, shortest = 0): void {
    if (!/[:=]/.test(text)) return;
    for (const { start, end } of findUrlCredentials(text)) this.#keepUserInfo(text.slice(start, end));
    // If the whole text is one URL, its credentials reach to the last @, whatever characters they contain.
    const whole = /^[a-z][a-z0-9+.-]{0,31}:\/\/([^\n]{1,4096})@/i.exec(text)?.[1];
    if (whole !== undefined) this.#keepUserInfo(whole);
    for (const [, name = '', value = ''] of text.matchAll(/[?&]([^?=&\s]{1,64})=([^&#\s]+)/g)) {
      if (value.length >= shortest) this.#keepValue(value, name);
    }
    for (const { start, end } of findByPattern(text)) {
      if (end - start >= shortest) this.#keepValue(text.slice(start, end), 'secret');
    }
  }

  #keepUserInfo(userInfo: string): void {
    const [user = '', ...password] = userInfo.split(':');
    this.#keepValue(user, 'user');
    this.#keepValue(password.join(':'), 'password');
  }

  #keepValue(value: string, name: string): void {
    const isSecret = TELLING_NAME.test(name);
    if (!isSecret && !USER_NAME.test(name)) return;
    for (const form of value.includes('%') ? [value, decode(value)] : [value]) {
      if (isSecret || form.length >= SHORTEST_USER) this.#add(form);
      else (this.#known ??= new KnownSecrets()).addUser(form);
    }
  }

  #add(secret: string): void {
    (this.#known ??= new KnownSecrets()).add(secret);
  }
}

function startOfLastRun(text: string): number {
  let start = text.length;
  while (start > 0 && !BREAK.test(text.charAt(start - 1))) start -= 1;
  return start;
}

function isData(value: unknown): boolean {
  if (typeof value === 'string') return true;
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value) || value instanceof URL || value instanceof Uint8Array) return true;
  return [null, Object.prototype].includes(Object.getPrototypeOf(value) as object | null);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
