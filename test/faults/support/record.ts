import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from './rows.js';

/** Names the folder to which tests write what they measured. The reporter sets it. */
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
  /** Milliseconds of the slowest. */
  readonly slowest: number;
}

/** Records a measurement for this case in `docs/reliability.md`. Call it after all assertions. */
export function record(row: Row, measured: string): void {
  append('rows', { row, measured } satisfies Measured);
}

/** Records a measurement for the second table: how long closing takes, by fault and server. */
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
