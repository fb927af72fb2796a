import { DEFAULT_WORKSPACE } from '../workspaces/workspace.decorator.js';

export interface Link {
  slug: string;
  url: string;
  /** ISO 8601. */
  createdAt: string;
  /** Without one the link belongs to the default workspace. */
  workspace?: string;
}

export function workspaceOf({ workspace = DEFAULT_WORKSPACE }: Link): string {
  return workspace;
}
