import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import type { RedisClientOptions } from '../../../src/redis/index.js';
import type { Platform } from './platform.js';

/** An app whose bootstrap fails, or that gets SIGTERM, at a given moment. */
export interface BootstrapSettings {
  redis: RedisClientOptions;
  dynamodb: DynamoDBClientConfig;
  how: 'fails' | 'compiles' | 'compiles and builds' | 'compiles and creates an application' | 'gets a signal';
  platform: Platform;
  /** When it happens. */
  moment?: Moment;
}

/** Moments of bootstrap, in order. */
export const MOMENTS = [
  'before anything',
  'while modules are resolved',
  'while a factory runs, before any client',
  'while a client is created',
  'when the first client is created',
  'when the second client is created',
  'in the constructor of a consumer',
  'while a factory runs, after all clients',
  'when the application is created',
  'when shutdown hooks are enabled',
  'in onModuleInit of a consumer',
  'while onModuleInit takes its time',
  'when onModuleInit has taken its time',
  'in onApplicationBootstrap of a consumer',
  'while onApplicationBootstrap takes its time',
  'when onApplicationBootstrap has taken its time',
  'when initialisation ends, connecting',
  'when the first connection is open',
  'when the server listens',
  'when the first command was answered',
] as const;

export type Moment = (typeof MOMENTS)[number];
