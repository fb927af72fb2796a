import { inspect } from 'node:util';

/**
 * Rows for `it.each` with a title in front: the first value of the row, as it is written in code. `%j` leaves out functions and
 * `undefined`, and so gives several rows the same title.
 */
export function titled<R extends readonly unknown[]>(rows: readonly R[]): [title: string, ...row: R][] {
  return rows.map((row) => [titleOf(row[0]), ...row]);
}

/** The same for options of a client, one object a row. */
export function titledOptions<T extends object>(options: readonly T[]): [title: string, options: T][] {
  return options.map((each) => [Object.keys(each).length === 0 ? 'default options' : titleOf(each), each]);
}

function titleOf(value: unknown): string {
  return inspect(value, { breakLength: Infinity, compact: true, depth: 5 });
}
