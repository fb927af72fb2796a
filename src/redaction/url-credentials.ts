import type { Passage } from './passage.js';

/** Longer credentials are not looked for. */
const LONGEST_CREDENTIALS = 4_096;
/** A password may contain spaces and quotes that nobody encoded; it is followed across them for this many characters. */
const LONGEST_DETOUR = 256;
const BREAK = /[\s"'`<>]/g;

/**
 * The credentials in the URLs of a text, each from `://` to the last `@`. A password is found even if it has a slash, an `@`, a
 * space or a quote that nobody encoded: `amqp://app:correct horse@mq`.
 */
export function findUrlCredentials(text: string): Passage[] {
  const found: Passage[] = [];
  for (let scheme = text.indexOf('://'); scheme !== -1;) {
    const start = scheme + '://'.length;
    const runEnd = findBreak(text, start);
    const end = isFile(text, scheme) ? start : findEnd(text, scheme, start, runEnd);
    if (end > start) found.push({ start, end });
    scheme = text.indexOf('://', Math.max(runEnd, end));
  }
  return found;
}

function isFile(text: string, scheme: number): boolean {
  return /\bfile$/i.test(text.slice(Math.max(0, scheme - 5), scheme)); // file:///app/node_modules/@scope
}

/** The end of the credentials that begin at `start`, before their `@`; `start` if there are none. */
function findEnd(text: string, scheme: number, start: number, runEnd: number): number {
  const at = text.slice(start, Math.min(runEnd, start + LONGEST_CREDENTIALS)).lastIndexOf('@');
  let end = at === -1 ? start : start + at;
  let detour = findDetour(text, scheme, runEnd);
  let searched = runEnd;
  for (;;) {
    // The host if the URL ended here, or the beginning of the credentials if no @ was found yet.
    const rest = text.slice(end === start ? start : end + 1, Math.min(searched, start + LONGEST_CREDENTIALS));
    const reach = end === start ? reachOfUser(rest, detour) : /^[\w-]*$/.test(rest) ? 1 : 0;
    const next = reach === 0 ? -1 : findAt(detour);
    if (next === -1 || detour.slice(0, next).trim().split(/\s+/).length > reach) return end;
    const nextEnd = findBreak(text, searched + next);
    end = searched + next + text.slice(searched + next, nextEnd).lastIndexOf('@');
    detour = detour.slice(Math.max(0, nextEnd - searched));
    searched = nextEnd;
  }
}

/** How many words may lie before the `@`: at most one after `host:6379`, which looks like a port; any number after `user:first`. */
function reachOfUser(rest: string, detour: string): number {
  if (/^\[[\da-f:.]+\]/i.test(rest)) return 0; // [::1]:6379
  if (/^[^:/?#]*:\d{1,5}(?:[/?#,;)\]].*)?$/.test(rest)) return 1;
  if (/^[^/?#]*:/.test(rest)) return Infinity;
  // The user name may contain an apostrophe or a space.
  return /^["'`]\w[^\s@]*:/.test(detour) || (/^\w*$/.test(rest) && /^ [^\s@:/]+:[^\s@]*@/.test(detour)) ? 1 : 0;
}

/** The text behind the URL in which its credentials may continue: up to the end of the line, the next URL or a closing quote. */
function findDetour(text: string, scheme: number, runEnd: number): string {
  let detour = text.slice(runEnd, runEnd + LONGEST_DETOUR);
  if (!detour.includes('@')) return '';
  for (const end of [detour.search(/[\r\n]/), detour.indexOf('://')]) if (end !== -1) detour = detour.slice(0, end);
  const before = text.slice(Math.max(0, scheme - 32), scheme);
  const opening = before.replace(/[a-z][a-z0-9+.-]*$/i, '').at(-1) ?? '';
  if (!`"'\`<`.includes(opening) || opening === '') return detour;
  // The same kind of quote closes the URL, unless a word continues behind it.
  const closing = detour.search(new RegExp(`${opening.replace('<', '>')}(?!\\w)`));
  return closing === -1 ? detour : detour.slice(0, closing);
}

function findAt(detour: string): number {
  return detour.search(/(?<![\s/])@/); // not the one in `node_modules/@scope`
}

function findBreak(text: string, from: number): number {
  BREAK.lastIndex = from;
  return BREAK.exec(text)?.index ?? text.length;
}
