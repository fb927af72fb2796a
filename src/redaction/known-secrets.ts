import { SecretIndex } from './secret-index.js';
import { unescapeText } from './unescaped-text.js';
import type { Passage } from './passage.js';

/** Shorter secrets are ignored: they would strike out half of every message. */
const SHORTEST_SECRET = 3;
/** Shorter secrets, and those that look like an ordinary word, are struck only where they stand as a word of their own. */
const SHORTEST_ANYWHERE = 8;
const ORDINARY_WORD = /^(?:[a-z]{1,11}|[A-Z]?[a-z]{1,11})$/;
/** More than any options hold. If credentials that are renewed again and again exceed it, the oldest are forgotten. */
const MOST_SECRETS = 1_000;
/** The first ones come from the declared options, and are never forgotten. */
const FIRST_SECRETS = MOST_SECRETS / 2;
/** This many are forgotten at a time, because the index is then built anew. */
const FORGOTTEN_TOGETHER = 100;
const MOST_USERS = 100;
/** Longer secrets are split into parts of this length, so that a part is found even where a capped text was cut. */
const LONGEST_PART = 1_024;
const MOST_PARTS = 64;
/** The base64 of fewer bytes could be mistaken for a word. */
const SHORTEST_BASE64 = 6;

/** The secrets that were shown to the redactor; finds them in a text, in any encoding. */
export class KnownSecrets {
  readonly #secrets = new Set<string>();
  /** User names that may stand before a short password in `Authorization: Basic`. */
  readonly #users: string[] = [''];
  /** Built when a text is first searched. */
  #index: SecretIndex | undefined;

  add(secret: string): void {
    for (const part of partsOf(secret.trim())) {
      if (part.length < SHORTEST_SECRET || this.#secrets.has(part)) continue;
      this.#secrets.add(part);
      if (this.#index) this.#file(this.#index, part);
    }
    if (this.#secrets.size > MOST_SECRETS) {
      const renewed = [...this.#secrets].slice(FIRST_SECRETS);
      renewed.slice(0, FORGOTTEN_TOGETHER).forEach((oldest) => this.#secrets.delete(oldest));
      this.#index = undefined;
    }
  }

  addUser(user: string): void {
    if (this.#users.length >= MOST_USERS || this.#users.includes(user)) return;
    this.#users.push(user);
    this.#index = undefined;
  }

  /** Finds secrets as they were shown or in base64 and, if the text was unescaped before, in any other spelling. */
  find(text: string): Passage[] {
    const found = this.#search(text);
    return text.includes('+') ? [...found, ...this.#search(withoutPlus(text))] : found;
  }

  #search(text: string): Passage[] {
    if (!this.#index) {
      this.#index = new SecretIndex();
      for (const secret of this.#secrets) this.#file(this.#index, secret);
    }
    return this.#index.find(text);
  }

  #file(index: SecretIndex, secret: string): void {
    const standing = secret.length < SHORTEST_ANYWHERE || ORDINARY_WORD.test(secret) ? 'word' : 'anywhere';
    const forms = new Set([secret, plainForm(secret)]);
    for (const form of forms) if (form.length >= SHORTEST_SECRET) index.add(form, standing);
    if (Buffer.byteLength(secret) >= SHORTEST_BASE64) {
      const encoded = new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed())]);
      for (const form of encoded) for (const inside of base64Inside(form)) index.add(inside, 'base64');
    } else {
      for (const user of this.#users) for (const form of base64Of(`${user}:${secret}`)) index.add(form, 'word');
      for (const form of base64Of(secret)) index.add(form, 'word');
    }
  }
}

/** The form that all spellings of a secret share: without escapes, and with spaces in place of plus signs, as in web forms. */
function plainForm(secret: string): string {
  return withoutPlus(unescapeText(secret).text.replace(/\\$/, ''));
}

function withoutPlus(text: string): string {
  return text.replaceAll('+', ' ');
}

function partsOf(secret: string): string[] {
  const parts: string[] = [];
  for (let end = secret.length; end > 0 && parts.length < MOST_PARTS; end -= LONGEST_PART) {
    // The first part is made as long as the others, so it may overlap the second.
    parts.push(secret.slice(Math.max(0, end - LONGEST_PART), Math.max(end, Math.min(LONGEST_PART, secret.length))));
  }
  return parts;
}

/**
 * What a secret looks like inside longer base64 text. There are three ways, because base64 encodes groups of three bytes and the
 * secret may begin at any byte of a group. Characters that also depend on neighbouring bytes are left out.
 */
function base64Inside(secret: string): Set<string> {
  const bytes = Buffer.from(secret);
  const forms = [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  return new Set(forms.flatMap(spellingsOfBase64));
}

function base64Of(text: string): string[] {
  return spellingsOfBase64(Buffer.from(text).toString('base64').replace(/=+$/, ''));
}

function spellingsOfBase64(base64: string): string[] {
  return [base64, withoutPlus(base64), base64.replaceAll('+', '-').replaceAll('/', '_')];
}
