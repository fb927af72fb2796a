import { describeError } from '../errors/describe-error.js';

/** Longer chains of causes are cut. */
const MOST_CAUSES = 16;

/** Copies name, message, stack, code and cause of whatever was thrown, each passed through `text`, and nothing else. */
export function copyError(error: unknown, text: (text: string) => string, seen = new Set<unknown>()): Error {
  seen.add(error);
  const cause = error instanceof Error && seen.size < MOST_CAUSES ? error.cause : undefined;
  const options = cause === undefined || seen.has(cause) ? {} : { cause: copyError(cause, text, seen) };
  const copy = new Error(text(describeError(error)), options);
  if (typeof error !== 'object' || error === null) return copy;
  if ('code' in error && typeof error.code === 'string') Object.assign(copy, { code: text(error.code) });
  if (!(error instanceof Error)) return copy;
  const name: unknown = error.name; // may have been overwritten with anything
  copy.name = text(String(name));
  if (typeof error.stack === 'string') copy.stack = text(error.stack);
  return copy;
}
