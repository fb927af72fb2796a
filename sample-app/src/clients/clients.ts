import type { ClientsOf } from 'nestjs-clients';
import { analytics } from './analytics.client.js';
import { dynamodb, dynamodbDocument } from './dynamodb.client.js';
import { linkChecker } from './link-checker.client.js';
import { redis } from './redis.client.js';
import { workspaces } from './workspaces.client.js';

/**
 * Every client of the app, by name. Declaring them costs nothing: each is built when it is first used. The page shows them
 * in this order: first those that are not built at start.
 */
export const clients = { linkChecker, workspaces, analytics, redis, dynamodb, dynamodbDocument };

export type AppClients = ClientsOf<typeof clients>;
