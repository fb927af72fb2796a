import { Agent, get } from 'node:http';

/**
 * Keeps a server busy over keep-alive connections until it is gone or `stop` is aborted, and counts what became of the
 * requests.
 *
 * - `answered`, `failed`: responses with a status below 500, and from 500 up
 * - `lost`: requests sent before `shutdown` was aborted, and never answered
 * - `cut`: requests sent after that, on a connection that was closed without an answer: Node's `server.close()` ends those
 *   that it finds idle, and a request may be on its way by then
 *
 * A connection that is refused is none of these: nobody had taken the request.
 */
export async function load(url, connections, { shutdown, stop }) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const counts = { answered: 0, failed: 0, lost: 0, cut: 0 };
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (!stop.aborted) {
        const late = shutdown.aborted;
        const outcome = await request(url, agent);
        if (outcome === 'refused') return;
        counts[outcome === 'unanswered' ? (late ? 'cut' : 'lost') : outcome] += 1;
      }
    }),
  );
  agent.destroy();
  return counts;
}

function request(url, agent) {
  return new Promise((resolve) => {
    const outgoing = get(url, { agent }, (response) => {
      response.on('error', () => resolve('unanswered'));
      response.on('end', () => resolve(response.statusCode >= 500 ? 'failed' : 'answered'));
      response.resume();
    });
    outgoing.on('error', (error) => resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'unanswered'));
  });
}
