import type { Answer } from './aws-sdk.js';

/** A body that comes over the connection while it is read. */
export interface ResponseBody {
  readonly readableEnded: boolean;
  readonly destroyed: boolean;
  /** Of HTTP/1: whether all of it is in memory. */
  readonly complete?: boolean;
  once(event: 'end' | 'close', listener: () => void): unknown;
  listenerCount(event: 'error'): number;
  destroy(error?: Error): unknown;
}

/** The body that the caller reads by himself, as a stream or as events, if that is how the request was answered. */
export function findResponseBody({ output, response }: Answer): ResponseBody | undefined {
  const body = (response as { body?: unknown } | undefined)?.body;
  if (!isStream(body) || !needsConnection(body) || typeof output !== 'object' || output === null) return undefined;
  const isGiven = Object.values(output).some((value) => value === body || isAsyncIterable(value));
  return isGiven ? body : undefined;
}

/** Whether part of it would be lost with the connection. */
export function needsConnection(body: ResponseBody): boolean {
  return !body.readableEnded && !body.destroyed && body.complete !== true;
}

/** Resolves when the body has been read to its end, or is destroyed. Listening to nothing else does not start it. */
export function awaitEnd(body: ResponseBody): Promise<void> {
  return new Promise((resolve) => {
    body.once('end', resolve);
    body.once('close', resolve);
  });
}

/** Destroys the body with an error for its reader. Without a listener, that error would end the process. */
export function breakOff(body: ResponseBody, reason: Error): void {
  if (body.listenerCount('error') > 0) body.destroy(reason);
  else body.destroy();
}

function isStream(value: unknown): value is ResponseBody {
  return typeof value === 'object' && value !== null && 'readableEnded' in value && 'destroyed' in value;
}

function isAsyncIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
