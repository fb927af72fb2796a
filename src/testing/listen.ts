import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';

const HOST = '127.0.0.1';

/** Listens on the loopback interface only, on a free port if `port` is 0. Rejects if the port is taken. */
export async function listen(server: Server, port = 0): Promise<{ host: string; port: number }> {
  server.listen(port, HOST);
  await once(server, 'listening');
  return { host: HOST, port: (server.address() as AddressInfo).port };
}
