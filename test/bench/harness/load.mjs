import { Agent, get } from 'node:http';

/**
 * Keeps a server busy over keep-alive connections until it is gone or `signal` says stop, and counts what became of the
 * requests.
 *
 * - `answered`, `failed`: responses with a status below 500, and from 500 up
 * - `cut`: requests on an open connection that was closed without a response
 *
 * A connection that is refused is neither: nobody had taken the request.
 */
export async function load(url, connections, signal) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const counts = { answered: 0, failed: 0, cut: 0 };
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (!signal.aborted) {
        const outcome = await request(url, agent);
        if (outcome === 'refused') return;
        counts[outcome] += 1;
      }
    }),
  );
  agent.destroy();
  return counts;
}

function request(url, agent) {
  return new Promise((resolve) => {
    const outgoing = get(url, { agent }, (response) => {
      response.on('error', () => resolve('cut'));
      response.on('end', () => resolve(response.statusCode >= 500 ? 'failed' : 'answered'));
      response.resume();
    });
    outgoing.on('error', (error) => resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'cut'));
  });
}
