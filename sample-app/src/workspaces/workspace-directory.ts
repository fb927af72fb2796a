import { Injectable } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import type { RedisOptions } from 'ioredis';
import type { Environment } from '../config/environment.js';

/**
 * Says where each workspace's Redis is. A real service would ask a table or a secret store here, and throw for a workspace
 * that does not exist.
 *
 * On a server that is given by `REDIS_URL`, a workspace is a prefix of its keys rather than a logical database: those are
 * numbered, 16 by default, and many hosted servers and every cluster have only one.
 */
@Injectable()
export class WorkspaceDirectory {
  private readonly servers = new Map<string, Promise<string>>();

  constructor(private readonly config: ConfigService<Environment, true>) {}

  async find(workspace: string): Promise<RedisOptions & { url: string }> {
    if (this.config.get('WORKSPACES_IN_PROCESS', { infer: true })) return { url: await this.startServer(workspace) };
    return { url: this.config.get('REDIS_URL', { infer: true }), keyPrefix: `workspace:${workspace}:` };
  }

  /** It outlives the client, because its data is the workspace's, and ends with the process. */
  private startServer(workspace: string): Promise<string> {
    const known = this.servers.get(workspace);
    if (known) return known;
    const started = import('nestjs-clients/testing').then(
      async ({ startRedisServer }) => (await startRedisServer()).url,
    );
    this.servers.set(workspace, started);
    started.catch(() => this.servers.delete(workspace));
    return started;
  }
}
