import type { IncomingMessage } from 'node:http';
import type { HttpConnection } from './http-connection.js';

/** A log line names at most this many different requests. */
const MOST_REQUESTS = 10;
/** Longer paths are cut, in characters. */
const LONGEST_PATH = 100;

/** The requests in flight on connections, for the log: `GET /events (2), POST /reports, 1 without a whole HTTP/1 request`. */
export function describeConnections(connections: Iterable<HttpConnection>): string {
  const counts = new Map<string, number>();
  let unnamed = 0;
  for (const { owed, upgradedBy } of connections) {
    const requests = owed.map(({ request }) => describeRequest(request));
    if (upgradedBy) requests.push(`${describeRequest(upgradedBy)} (upgraded to ${protocolOf(upgradedBy)})`);
    if (requests.length === 0) unnamed += 1;
    for (const request of requests) counts.set(request, (counts.get(request) ?? 0) + 1);
  }
  const named = [...counts].slice(0, MOST_REQUESTS);
  const parts = named.map(([request, count]) => (count === 1 ? request : `${request} (${count})`));
  const others = counts.size - named.length;
  if (others > 0) parts.push(`${others} other requests`);
  if (unnamed > 0) parts.push(`${unnamed} without a whole HTTP/1 request`);
  return parts.join(', ');
}

/** Method and path. Never the query, nor the scheme, user and host of an absolute URL: they may hold secrets. */
function describeRequest(request: IncomingMessage): string {
  // Inside a router, Express shortens `url` to the rest of the path, and keeps the whole in `originalUrl`.
  const whole: unknown = Reflect.get(request, 'originalUrl');
  const url = typeof whole === 'string' ? whole : (request.url ?? '');
  const path = printable(url.replace(/^[a-z][a-z\d+.-]{0,20}:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')) || '/';
  return `${request.method} ${path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH)}\u2026` : path}`;
}

function protocolOf({ headers }: IncomingMessage): string {
  return printable(headers.upgrade ?? 'another protocol').slice(0, LONGEST_PATH);
}

/** Replaces what is not printable ASCII: a terminal that shows the log could take control characters for commands. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}
