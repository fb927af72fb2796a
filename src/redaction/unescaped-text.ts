import type { Passage } from './passage.js';

/** A text without the escapes of URLs and JSON, whose passages can be mapped back to the original. */
export interface UnescapedText {
  readonly text: string;
  toOriginal(passage: Passage): Passage;
}

/** `%40`, also escaped again: `%2540`. Adjacent escapes are matched together, since several bytes may form one character. */
const PERCENT = /(?:%(?:25)*[0-9a-f]{2})+/gi;
/** Any number of backslashes, since JSON within JSON doubles them, and the character that they escape. */
const BACKSLASH = /\\+(?:u([0-9a-f]{4})|([^\\]))?/gi;
const ESCAPED = new Map(
  Object.entries({ n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', '"': '"', "'": "'", '`': '`', '/': '/' }),
);

/**
 * Undoes the escapes of URLs (`%40`) and of JSON (`\"`, `\n`, `\u0040`), however often they were applied, so that all
 * spellings of a secret become the same. Backslashes that escape nothing, as in Windows paths, are reduced to one.
 */
export function unescapeText(original: string): UnescapedText {
  let unescaped: UnescapedText = { text: original, toOriginal: (passage) => passage };
  if (original.includes('%')) unescaped = undo(unescaped, PERCENT, ([run]) => decodePercent(run));
  if (unescaped.text.includes('\\')) {
    unescaped = undo(unescaped, BACKSLASH, ([run, hex, other = '']) => {
      const escaped = hex ? String.fromCharCode(parseInt(hex, 16)) : (ESCAPED.get(other) ?? `\\${other}`);
      return [[escaped, run.length]];
    });
  }
  return unescaped;
}

/** Replaces each match by what `decode` yields: characters, each with the length of the part of the match that it stands for. */
function undo(
  before: UnescapedText,
  escape: RegExp,
  decode: (match: RegExpMatchArray) => Iterable<[characters: string, length: number]>,
): UnescapedText {
  const { text } = before;
  let result = '';
  // Where in `text` each character of the result begins. The result is never longer than `text`.
  const starts = new Uint32Array(text.length + 1);
  let at = 0;
  const copyUpTo = (end: number) => {
    const shift = result.length - at;
    result += text.slice(at, end);
    for (; at < end; at += 1) starts[at + shift] = at;
  };
  for (const match of text.matchAll(escape)) {
    copyUpTo(match.index);
    for (const [characters, length] of decode(match)) {
      starts.fill(at, result.length, result.length + characters.length);
      result += characters;
      at += length;
    }
  }
  copyUpTo(text.length);
  starts[result.length] = text.length;
  return {
    text: result,
    toOriginal: ({ start, end }) => before.toOriginal({ start: starts[start] ?? 0, end: starts[end] ?? text.length }),
  };
}

function* decodePercent(run: string): Generator<[characters: string, length: number]> {
  for (let at = 0; at < run.length;) {
    const first = byteAt(run, at);
    const bytes = [first];
    let end = first.end;
    const size = first.byte < 0xc0 ? 1 : first.byte < 0xe0 ? 2 : first.byte < 0xf0 ? 3 : 4;
    while (bytes.length < size && end < run.length) {
      const next = byteAt(run, end);
      if (next.byte >> 6 !== 0b10) break;
      bytes.push(next);
      end = next.end;
    }
    if (size > 1 && bytes.length === size) yield [Buffer.from(bytes.map(({ byte }) => byte)).toString(), end - at];
    else {
      end = first.end; // ASCII, or invalid as UTF-8 and therefore read as Latin-1
      yield [String.fromCharCode(first.byte), end - at];
    }
    at = end;
  }
}

/** The byte that the escape at this position encodes, such as `%40` or `%2540`, and where the escape ends. */
function byteAt(run: string, at: number): { byte: number; end: number } {
  const next = run.indexOf('%', at + 1);
  const end = next === -1 ? run.length : next;
  return { byte: parseInt(run.slice(end - 2, end), 16), end };
}
