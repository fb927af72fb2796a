/** A part of a text, from `start` up to but not including `end`. */
export interface Passage {
  readonly start: number;
  readonly end: number;
}

const STRUCK = '***';

/** The text between `from` and `to`, with each passage replaced by `***`, even one that is only partly in between. */
export function strike(text: string, passages: Passage[], from = 0, to = text.length): string {
  if (passages.length === 0) return text.slice(from, to);
  let clean = '';
  let at = from;
  let struckUpTo = -1;
  for (const { start, end } of passages.toSorted((a, b) => a.start - b.start)) {
    if (start >= to) break;
    if (end <= at) continue;
    // Passages that touch become one `***`, so as not to show where one credential ends.
    if (start > struckUpTo) clean += text.slice(at, Math.max(at, start)) + STRUCK;
    at = end;
    struckUpTo = end;
  }
  return at < to ? clean + text.slice(at, to) : clean;
}
