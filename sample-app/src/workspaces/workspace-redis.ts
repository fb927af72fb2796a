import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { ClientRegistry, ClientsExhaustedError } from 'nestjs-clients';
import type { AppClients } from '../clients/clients.js';

/** Work on a workspace's own Redis. */
@Injectable()
export class WorkspaceRedis {
  constructor(private readonly clients: ClientRegistry<AppClients>) {}

  /** The client stays open until `work` has settled, and is closed when the workspace has not been used for a while. */
  async use<R>(workspace: string, work: (redis: Redis) => Promise<R>): Promise<R> {
    try {
      const workspaces = await this.clients.get('workspaces');
      return await workspaces.use(workspace, work);
    } catch (error) {
      if (!(error instanceof ClientsExhaustedError)) throw error;
      throw new ServiceUnavailableException('Too many workspaces are in use. Try again in a moment.', { cause: error });
    }
  }
}
