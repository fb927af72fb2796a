/** Memory in use, after a collection. Nothing in a run that takes the time: Node was not told to expose the collector. */
export function weigh() {
  if (!globalThis.gc) return undefined;
  gc();
  return process.memoryUsage();
}
