import type { Passage } from './passage.js';

/** Where a secret is struck: anywhere, only as a word of its own, or together with the base64 around it. */
export type Standing = 'anywhere' | 'word' | 'base64';

interface Entry {
  readonly secret: string;
  /** Position in the secret of the three characters under which it is filed. */
  readonly offset: number;
  readonly standing: Standing;
}

/** The three characters are chosen within this many characters at the beginning of the secret. */
const LONGEST_PREFIX = 64;

/**
 * Finds many secrets in one pass over a text. Each is filed under three of its characters: those under which the
 * fewest others are filed. So a thousand keys that begin with `sk_live_` take no longer to search for than one.
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
   * Whether a passage stands alone, and not in a word, a path, a host name or a file name: in `/home/dev/service.js` the
   * password `dev` is not struck, nor is `node` in `node:internal`.
   */
  #isWord(text: string, start: number, end: number): boolean {
    const before = text.slice(Math.max(0, start - 1), start);
    return !this.#endsInWord.test(before) && !this.#beginsInWord.test(text.slice(end, end + 2));
  }
}

/** Three characters as a number. It is not unique; then the comparison of the whole secret decides. */
function threeAt(text: string, at: number): number {
  return text.charCodeAt(at) ^ (text.charCodeAt(at + 1) << 8) ^ (text.charCodeAt(at + 2) << 16);
}

/** The whole run of base64 around a passage: the rest may encode something beside the secret, such as a user name. */
function widen(text: string, start: number, end: number, notBefore: number): Passage {
  const isBase64 = (at: number) => /[\w+/=-]/.test(text.charAt(at));
  while (start > notBefore && isBase64(start - 1)) start -= 1;
  while (end < text.length && isBase64(end)) end += 1;
  return { start, end };
}
