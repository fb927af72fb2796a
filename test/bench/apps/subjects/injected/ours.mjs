import { ClientRegistry, ClientsModule } from 'nestjs-clients';
import { DYNAMODB_CLIENT, dynamoDBClient } from 'nestjs-clients/dynamodb';
import { REDIS_CLIENT, redisClient } from 'nestjs-clients/redis';
import { DYNAMODB, REDIS_URL } from '../../settings.mjs';

export const declare = () => ({
  imports: [ClientsModule.forRoot({ clients: { redis: redisClient(REDIS_URL), dynamodb: dynamoDBClient(DYNAMODB) } })],
  inject: [REDIS_CLIENT, DYNAMODB_CLIENT],
  pick: (redis, dynamodb) => (dynamodb ? redis : undefined),
});

/** For how long both SDKs were being loaded at the same time. */
export function observe(app) {
  return () => {
    const builds = app
      .get(ClientRegistry)
      .status()
      .map(({ createdAt, createDuration }) => ({
        from: createdAt.getTime() - createDuration,
        to: createdAt.getTime(),
      }));
    const overlap = Math.min(...builds.map(({ to }) => to)) - Math.max(...builds.map(({ from }) => from));
    return { overlap: Math.max(0, overlap) };
  };
}
