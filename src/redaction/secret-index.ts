import type { Passage } from './passage.js';

/** Where in a text a secret counts: anywhere, as a word of its own, or together with the base64 around it. */
export type Standing = 'anywhere' | 'word' | 'base64';

interface Entry {
  readonly secret: string;
  /** Where in the secret the three characters are under which it is filed. */
  readonly offset: number;
  readonly standing: Standing;
}

/** The beginning of a secret in which the three characters are chosen. */
const LONGEST_PREFIX = 64;

/**
 * Finds many secrets in one pass over a text. Each is filed under three characters of its own, the ones that are shared by the
 * fewest others: a thousand keys that all begin with `sk_live_` cost a text of `sk_live_` no more than one.
 */
export class SecretIndex {
  readonly #entries = new Map<number, Entry[]>();
  // Not literals: V8 checks those when the package is imported, and classes of all letters take it 0.6 ms.
  readonly #endsInWord = new RegExp(String.raw`[\p{L}\p{N}_/\\.@-]$`, 'u');
  readonly #beginsInWord = new RegExp(String.raw`^(?:[\p{L}\p{N}_/\\@-]|[.:][\p{L}\p{N}/])`, 'u');

  /** Files a secret of at least three characters. */
  add(secret: string, standing: Standing): void {
    let offset = 0;
    let fewest = Infinity;
    for (let at = 0; at + 3 <= Math.min(secret.length, LONGEST_PREFIX) && fewest > 0; at += 1) {
      const others = this.#entries.get(threeAt(secret, at))?.length ?? 0;
      if (others < fewest) [offset, fewest] = [at, others];
    }
    const three = threeAt(secret, offset);
    const entry = { secret, offset, standing };
    const entries = this.#entries.get(three);
    if (entries) entries.push(entry);
    else this.#entries.set(three, [entry]);
  }

  find(text: string): Passage[] {
    const found: Passage[] = [];
    let base64: Passage = { start: 0, end: 0 };
    for (let at = 0; at + 3 <= text.length; at += 1) {
      const entries = this.#entries.get(threeAt(text, at));
      if (!entries) continue;
      for (const { secret, offset, standing } of entries) {
        const start = at - offset;
        const end = start + secret.length;
        if (start < 0 || !text.startsWith(secret, start)) continue;
        if (standing === 'anywhere' || (standing === 'word' && this.#isWord(text, start, end)))
          found.push({ start, end });
        if (standing === 'base64' && end > base64.end) {
          base64 = widen(text, start, end, base64.end);
          found.push(base64);
        }
      }
    }
    return found;
  }

  /**
   * Neither in a word, nor in a path, a host name or a file name: `/home/dev/service.js` does not contain the password `dev`,
   * nor `node:internal` the password `node`.
   */
  #isWord(text: string, start: number, end: number): boolean {
    const before = text.slice(Math.max(0, start - 1), start);
    return !this.#endsInWord.test(before) && !this.#beginsInWord.test(text.slice(end, end + 2));
  }
}

/** Three characters as a number; different ones may share it, which costs a comparison. */
function threeAt(text: string, at: number): number {
  return text.charCodeAt(at) ^ (text.charCodeAt(at + 1) << 8) ^ (text.charCodeAt(at + 2) << 16);
}

/** The whole run of base64 that a passage stands in: what is left of it would tell what stands beside the secret. */
function widen(text: string, start: number, end: number, notBefore: number): Passage {
  const isBase64 = (at: number) => /[\w+/=-]/.test(text.charAt(at));
  while (start > notBefore && isBase64(start - 1)) start -= 1;
  while (end < text.length && isBase64(end)) end += 1;
  return { start, end };
}
