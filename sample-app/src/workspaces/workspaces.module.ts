import { Module } from '@nestjs/common';
import { WorkspaceDirectory } from './workspace-directory.js';
import { WorkspaceRedis } from './workspace-redis.js';

@Module({ providers: [WorkspaceDirectory, WorkspaceRedis], exports: [WorkspaceDirectory, WorkspaceRedis] })
export class WorkspacesModule {}
