import { availableParallelism, cpus, totalmem } from 'node:os';
import { NEST_11, NEST_12, versionIn } from './places.mjs';
import { redisVersion } from './redis-server.mjs';

/** What the figures depend on. */
export function describeMachine() {
  const stack = (place) =>
    ['@nestjs/core', 'ioredis', '@aws-sdk/client-dynamodb']
      .map((name) => `${name} ${versionIn(place, name)}`)
      .join(', ');
  return [
    `Node ${process.versions.node}, ${process.platform} ${process.arch}`,
    `${availableParallelism()} CPUs (${cpus()[0].model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB`,
    `redis-server ${redisVersion()}, loopback`,
    `Nest 12: ${stack(NEST_12)}, @nestjs-modules/ioredis ${versionIn(NEST_12, '@nestjs-modules/ioredis')}, aws-sdk-v3-nest ${versionIn(NEST_12, 'aws-sdk-v3-nest')}`,
    `Nest 11: ${stack(NEST_11)}, @songkeys/nestjs-redis ${versionIn(NEST_11, '@songkeys/nestjs-redis')}, @liaoliaots/nestjs-redis ${versionIn(NEST_11, '@liaoliaots/nestjs-redis')}`,
  ];
}
