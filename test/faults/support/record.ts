import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from './rows.js';

/** Where tests leave what they measured; the reporter names the folder. */
export const RECORDS = 'FAULTS_RECORDS';

export interface Measured {
  readonly row: Row;
  readonly measured: string;
}

/** A cell of the table of closing times; see `recordClosing`. */
export interface Closing {
  readonly fault: string;
  readonly server: string;
  readonly closings: number;
  /** Milliseconds that the slowest took. */
  readonly slowest: number;
}

/** Adds to what `docs/reliability.md` says was measured in this case. Call it when everything has been asserted. */
export function record(row: Row, measured: string): void {
  append('rows', { row, measured } satisfies Measured);
}

/** Adds to the second table: how long closing takes, by fault and server. */
export function recordClosing(closing: Closing): void {
  append('closings', closing);
}

function append(file: string, line: object): void {
  const folder = process.env[RECORDS];
  if (folder) appendFileSync(join(folder, `${file}.jsonl`), `${JSON.stringify(line)}\n`);
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(ms < 1_000 ? 2 : 1)} s`;
}

export function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : Math.round(ms).toLocaleString('en')} ms`;
}
