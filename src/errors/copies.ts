import { VERSION } from './version.js';

/** Lists the versions of all copies of the package in the process, so that errors can say that there are several. */
const COPIES = Symbol.for('nestjs-clients:copies');

const shared = globalThis as { [COPIES]?: string[] };
let isNoted = false;

/** Writes down that this copy is in use. An application calls it and not the module, since an import has no side effects. */
export function noteCopy(): void {
  if (isNoted) return;
  isNoted = true;
  (shared[COPIES] ??= []).push(VERSION);
}

/** What goes wrong with two copies, and the remedy. */
const REMEDY =
  'A client that is declared with one copy is unknown to the other: run "npm ls nestjs-clients", and make every package ' +
  'use the same one (a peer dependency, "npm dedupe"); a bundle must not hold a second one';

/** What to add to an error that a second copy of the package may explain; empty if there is only one. */
export function describeCopies(): string {
  const versions = shared[COPIES] ?? [];
  if (versions.length < 2) return '';
  return ` ${versions.length} copies of nestjs-clients are loaded (versions ${versions.join(', ')}). ${REMEDY}.`;
}

/** Says that something comes from another copy of the package. */
export function describeOtherCopy(what: string, version: string): string {
  return `${what} comes from another copy of nestjs-clients (version ${version}; this one is ${VERSION}). ${REMEDY}`;
}
