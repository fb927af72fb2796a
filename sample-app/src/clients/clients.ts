import { defineClient, type ClientOptionsOf, type ClientsOf } from 'nestjs-clients';
import { dynamoDBClient, dynamoDBDocumentClient } from 'nestjs-clients/dynamodb';
import { redisClient } from 'nestjs-clients/redis';
import type { AppConfig } from '../config/app-config.js';

/** Every client of the app, by name. Declaring them costs nothing: each is built when it is first used. */
export const clients = {
  redis: redisClient(),
  dynamodb: dynamoDBClient(),
  dynamodbDocument: dynamoDBDocumentClient(),
  // Not injected but asked for: LinkCheckerService gets it from the registry, with the first link to check.
  linkChecker: defineClient({
    create: async () => {
      const { Agent } = await import('undici');
      return new Agent({ connections: 10 });
    },
    close: (agent) => agent.close(),
    destroy: (agent) => agent.destroy(),
  }),
  // Nobody uses this one, so it is never built: its host need not even exist.
  analytics: redisClient('redis://analytics.internal:6379'),
};

export type AppClients = ClientsOf<typeof clients>;

/** The options of the clients that take theirs from the environment. Called when one of them is first used. */
export function clientOptions(config: AppConfig): ClientOptionsOf<typeof clients> {
  return {
    redis: {
      url: config.redisUrl,
      // Links work without Redis. While it is down a command fails with the next attempt to reconnect, and so does not
      // hold up a request for longer than that; while it does not answer, not for longer than a second.
      maxRetriesPerRequest: 0,
      retryStrategy: () => 250,
      commandTimeout: 1_000,
    },
    dynamodb: {
      endpoint: config.dynamoDBEndpoint,
      region: config.awsRegion,
      ...(config.awsCredentials && { credentials: config.awsCredentials }),
      requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
    },
  };
}
