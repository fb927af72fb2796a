/** A key may be a megabyte long; a message need not. */
const LONGEST_KEY = 64;

/** The key of a keyed client as it stands in messages. */
export function describeKey(key: string): string {
  return JSON.stringify(key.length > LONGEST_KEY ? `${key.slice(0, LONGEST_KEY)}...` : key);
}
