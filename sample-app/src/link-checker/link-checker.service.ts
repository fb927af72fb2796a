import { Injectable } from '@nestjs/common';
import { ClientRegistry } from 'nestjs-clients';
import type { AppClients } from '../clients/clients.js';

const TIMEOUT = 5_000;

export interface CheckResult {
  /** Whether a server answered, whatever it answered. */
  reachable: boolean;
  status?: number;
}

@Injectable()
export class LinkCheckerService {
  constructor(private readonly clients: ClientRegistry<AppClients>) {}

  /**
   * Asks the link's target, and nobody else: redirects are not followed.
   *
   * Anybody can shorten any URL, and so make this service send a request to any address that it can reach. That is
   * fine for a sample on a laptop. A public service must refuse private, loopback and link-local addresses, when the
   * socket connects (undici: the `connect` option) and not only before, since a name may resolve differently then.
   */
  async check(url: string): Promise<CheckResult> {
    // Few links are ever checked: the first check builds the client, rather than bootstrap for an injected one.
    const agent = await this.clients.get('linkChecker');
    const { origin, pathname, search } = new URL(url);
    try {
      const { statusCode, body } = await agent.request({
        origin,
        path: pathname + search,
        method: 'HEAD',
        signal: AbortSignal.timeout(TIMEOUT),
      });
      await body.dump();
      return { reachable: true, status: statusCode };
    } catch {
      return { reachable: false };
    }
  }
}
