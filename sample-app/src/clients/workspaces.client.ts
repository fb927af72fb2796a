import { keyedClients } from 'nestjs-clients';
import { redisClient } from 'nestjs-clients/redis';
import { WorkspaceDirectory } from '../workspaces/workspace-directory.js';
import { FAIL_FAST } from './redis.client.js';

/** A Redis for each workspace: built when the workspace is first used, closed when nobody has used it for a while. */
export const workspaces = keyedClients({
  inject: [WorkspaceDirectory],
  define: async (workspace: string, directory: WorkspaceDirectory) =>
    redisClient({ ...(await directory.find(workspace)), ...FAIL_FAST }, { closeTimeout: 1_000 }),
  // Short, so that one can watch them go. The default, a minute, suits a service better.
  idleTimeout: 10_000,
  max: 20,
});
