import { forwardRef } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import type { Redis } from 'ioredis';
import { Agent } from 'node:http';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { dynamoDBClient } from '../../src/dynamodb/index.js';
import {
  ClientsModule,
  defineClient,
  getClientToken,
  keyedClients,
  type ClientDefinition,
  type ClientDriver,
  type KeyedClients,
} from '../../src/index.js';
import { redisClient, redisCluster, type RedisClientOptions } from '../../src/redis/index.js';

// `tsc --noEmit` checks this file. What is written in `types` is compiled, and never run.
const types = (_check: () => unknown) => {};

class Settings {
  readonly url: string = 'redis://127.0.0.1';
  read(key: string): string {
    return key;
  }
}
abstract class Clock {
  abstract now(): number;
}
class Locked {
  private constructor(readonly key: string) {}
  static open(): Locked {
    return new Locked('x');
  }
}
class Pool {
  end(): void {}
}
interface Environment {
  URL: string;
}
const TOKEN = Symbol('token');
const url = 'redis://127.0.0.1';
declare const settings: Settings | undefined;
declare const isLocal: boolean;
declare const anyText: string;

describe('what is inferred from class tokens', () => {
  it('types the parameters of define, as those of create', () => {
    types(() => [
      keyedClients({
        inject: [Settings, { token: Clock, optional: true }, forwardRef(() => Pool), 'URL'],
        define: (key, given, clock, _pool, text) => {
          expectTypeOf(key).toEqualTypeOf<string>();
          expectTypeOf(given).toEqualTypeOf<Settings>();
          expectTypeOf(clock).toEqualTypeOf<Clock | undefined>();
          expectTypeOf(text).toEqualTypeOf<unknown>();
          return redisClient(given.read(key));
        },
      }),
      keyedClients<Agent>({
        inject: ['URL'],
        define: (_key, _url: string) => defineClient({ create: () => new Agent() }),
      }),
      // @ts-expect-error: a Settings is injected, not a Clock
      keyedClients({ inject: [Settings], define: (_key, clock: Clock) => redisClient(String(clock.now())) }),
    ]);
    const tenants = keyedClients({ inject: [Settings], define: (key, given) => redisClient(given.read(key)) });
    expectTypeOf(tenants).toEqualTypeOf<ClientDefinition<KeyedClients<Redis>, never>>();
  });

  it('types the parameters of create', () => {
    types(() => [
      defineClient({
        inject: [Settings, Clock, Locked, 'URL', TOKEN],
        create: (given, clock, locked, text, value) => {
          expectTypeOf(given).toEqualTypeOf<Settings>();
          expectTypeOf(clock).toEqualTypeOf<Clock>();
          expectTypeOf(locked).toEqualTypeOf<Locked>();
          expectTypeOf(text).toEqualTypeOf<unknown>();
          expectTypeOf(value).toEqualTypeOf<unknown>();
          return new Pool();
        },
        close: (pool) => expectTypeOf(pool).toEqualTypeOf<Pool>(),
      }),
      defineClient({ inject: [ConfigService], create: (config) => ({ x: config.get('X') }) }),
      defineClient({ inject: [ConfigService], create: async (config) => ({ x: config.getOrThrow<string>('X') }) }),
      defineClient({
        inject: [Settings],
        create(given) {
          expectTypeOf(given).toEqualTypeOf<Settings>();
          return new Pool();
        },
      }),
      // Whatever the order of the properties.
      defineClient({ create: (given) => ({ url: given.url }), inject: [Settings] }),
    ]);
    expectTypeOf(defineClient({ inject: [Settings], create: (given) => ({ url: given.url }) })).toEqualTypeOf(
      defineClient({ create: () => ({ url: anyText }) }),
    );
  });

  it('adds undefined to the type of an optional dependency, and finds the class behind a forward reference', () => {
    types(() => [
      defineClient({
        inject: [
          { token: Settings, optional: true },
          { token: Clock, optional: false },
          { forwardRef: () => Settings },
        ],
        create: (maybe, clock, later) => {
          expectTypeOf(maybe).toEqualTypeOf<Settings | undefined>();
          expectTypeOf(clock).toEqualTypeOf<Clock>();
          expectTypeOf(later).toEqualTypeOf<Settings>();
          return new Pool();
        },
      }),
      // Nest's own forwardRef() forgets what it refers to.
      defineClient({ inject: [forwardRef(() => Settings)], create: (later) => ({ url: later.url as string }) }),
      defineClient({ inject: [forwardRef(() => Settings)], create: (later: Settings) => ({ url: later.url }) }),
    ]);
  });

  it('types the parameters of useFactory, of every kind and of forRootAsync()', () => {
    types(() => [
      redisClient({ inject: [Settings], useFactory: (given) => ({ url: given.url }) }),
      redisClient({ inject: [ConfigService], useFactory: async (config) => ({ url: config.getOrThrow<string>('X') }) }),
      redisCluster({ inject: [Settings], useFactory: (given) => ({ nodes: [given.url] }) }),
      dynamoDBClient({ inject: [Settings, 'N'], useFactory: (given, _n: number) => ({ endpoint: given.url }) }),
      ClientsModule.forRootAsync({
        clients: { redis: redisClient() },
        inject: [Settings, { token: Clock, optional: true }],
        useFactory: (given, clock) => {
          expectTypeOf(given).toEqualTypeOf<Settings>();
          expectTypeOf(clock).toEqualTypeOf<Clock | undefined>();
          return { redis: { url: given.url } };
        },
      }),
    ]);
  });

  it('accepts explicit annotations', () => {
    types(() => [
      defineClient({ inject: [ConfigService, 'URL'], create: (_config: ConfigService, _url: string) => new Pool() }),
      defineClient({
        inject: [ConfigService],
        create: (config: ConfigService<Environment, true>) => ({ url: config.get('URL', { infer: true }) }),
      }),
      defineClient({ inject: [Settings], create: (_given: { read(key: string): string }) => new Pool() }),
      defineClient({ inject: [getClientToken('redis')], create: (redis: Redis) => ({ redis }) }),
      defineClient({ inject: [getClientToken('redis'), Settings], create: (...all: [Redis, Settings]) => ({ all }) }),
      defineClient({ inject: [{ token: Settings, optional: true }], create: (given?: Settings) => ({ given }) }),
      defineClient<Pool>({ inject: [Settings], create: (_given: Settings) => new Pool() }),
      defineClient({ inject: isLocal ? [Settings] : ['A', 'B'], create: (...all: unknown[]) => ({ all }) }),
      redisClient({
        inject: [ConfigService],
        useFactory: (config: ConfigService<Environment, true>) => ({ url: config.get('URL', { infer: true }) }),
      }),
      redisClient({
        inject: [ConfigService],
        useFactory: (config: ConfigService): RedisClientOptions => config.get('r')!,
      }),
      redisClient({ inject: ['URL', 'N'], useFactory: (given: string, db: number) => ({ url: given, db }) }),
    ]);
    const inject = [Settings, 'N'];
    types(() => defineClient({ inject, create: (given: Settings, n: number) => ({ given, n }) }));
  });

  it('lets ClientDriver be written with one type argument', () => {
    const driver: ClientDriver<Pool> = {
      inject: [Settings],
      create: (_given: Settings) => new Pool(),
      close: (pool) => pool.end(),
    };
    class PoolDriver implements ClientDriver<Pool> {
      readonly inject = [Settings];
      create(_given: Settings): Pool {
        return new Pool();
      }
    }
    types(() => [defineClient(driver), defineClient(new PoolDriver())]);
    expectTypeOf(defineClient(driver)).toEqualTypeOf(defineClient({ create: () => new Pool() }));
  });

  it('refuses a parameter of another class', () => {
    types(() => [
      // @ts-expect-error a Clock is no Settings
      defineClient({ inject: [Settings], create: (_clock: Clock) => new Pool() }),
      // @ts-expect-error unknown, to be annotated
      defineClient({ inject: ['URL'], create: (text) => ({ size: text.length }) }),
      // @ts-expect-error it may be missing
      defineClient({ inject: [{ token: Settings, optional: true }], create: (given) => ({ url: given.url }) }),
    ]);
  });
});

describe('a misspelt option in what a factory returns', () => {
  const clients = { redis: redisClient(), cluster: redisCluster(), dynamodb: dynamoDBClient() };

  it('is a compile error in a factory of one client', () => {
    types(() => [
      // @ts-expect-error keyPrefx
      redisClient({ useFactory: () => ({ url, keyPrefx: 'x' }) }),
      // @ts-expect-error keyPrefx
      redisClient({ useFactory: async () => ({ url, keyPrefx: 'x' }) }),
      // @ts-expect-error keyPrefx
      redisClient({ inject: [Settings], useFactory: (given) => ({ url: given.url, keyPrefx: 'x' }) }),
      // @ts-expect-error keyPrefx
      redisClient({ inject: [Settings], useFactory: async (given: Settings) => ({ url: given.url, keyPrefx: 'x' }) }),
      // @ts-expect-error regoin
      dynamoDBClient({ useFactory: () => ({ regoin: 'eu-west-1' }) }),
      // @ts-expect-error regoin
      dynamoDBClient({ inject: ['R'], useFactory: async (regoin: string) => ({ regoin }) }),
      // @ts-expect-error scaleRaeds
      redisCluster({ useFactory: () => ({ nodes: [url], scaleRaeds: 'slave' }) }),
      // @ts-expect-error keyPrefx, one further down
      redisCluster({ useFactory: () => ({ nodes: [url], redisOptions: { keyPrefx: 'x' } }) }),
      // @ts-expect-error in one of two
      redisClient({ useFactory: () => (isLocal ? { url } : { host: 'h', keyPrefx: 'x' }) }),
      // @ts-expect-error beside what is spread
      // oxlint-disable-next-line unicorn/no-useless-spread -- that is the subject
      redisClient({ useFactory: () => ({ ...{ url }, keyPrefx: 'x' }) }),
      // @ts-expect-error in what is spread
      redisClient({ useFactory: () => ({ url, ...(isLocal && { keyPrefx: 'x' }) }) }),
      // @ts-expect-error optional chaining
      redisClient({ useFactory: () => ({ url, keyPrefx: settings?.url }) }),
      redisClient({
        // @ts-expect-error a method
        useFactory() {
          return { url, keyPrefx: 'x' };
        },
      }),
      redisClient({
        // @ts-expect-error two returns
        useFactory: (given: Settings) => {
          if (isLocal) return { url, keyPrefx: 'x' };
          return { url: given.url };
        },
      }),
    ]);
  });

  it('is a compile error in the factory of forRootAsync()', () => {
    types(() => [
      // @ts-expect-error keyPrefx
      ClientsModule.forRootAsync({ clients, useFactory: () => ({ redis: { url, keyPrefx: 'x' } }) }),
      // @ts-expect-error regoin
      ClientsModule.forRootAsync({ clients, useFactory: async () => ({ dynamodb: { regoin: 'x' } }) }),
      ClientsModule.forRootAsync({
        clients,
        inject: ['R'],
        // @ts-expect-error regoin
        useFactory: (regoin: string) => ({ dynamodb: { regoin } }),
      }),
      ClientsModule.forRootAsync({
        clients,
        inject: [Settings],
        // @ts-expect-error keyPrefx
        useFactory: async (given) => ({ redis: { url: given.url, keyPrefx: 'x' }, dynamodb: { region: 'x' } }),
      }),
      // @ts-expect-error redisOption
      ClientsModule.forRootAsync({ clients, useFactory: () => ({ cluster: { nodes: [url], redisOption: {} } }) }),
      ClientsModule.forRootAsync({
        clients,
        // @ts-expect-error keyPrefx, one further down
        useFactory: () => ({ cluster: { nodes: [url], redisOptions: { keyPrefx: 'x' } } }),
      }),
      ClientsModule.forRootAsync({
        clients,
        // @ts-expect-error in one of two
        useFactory: () => ({ redis: isLocal ? { url } : { url, keyPrefx: 'x' } }),
      }),
      // @ts-expect-error a client that is none
      ClientsModule.forRootAsync({ clients, useFactory: () => ({ rdis: { url } }) }),
    ]);
  });

  it('is distinguished from options that exist', () => {
    types(() => [
      redisClient({ useFactory: () => ({ url, keyPrefix: 'x', tls: { rejectUnauthorized: false } }) }),
      redisClient({
        useFactory: () => ({ url, retryStrategy: (times: number) => times, family: 6, enableTLSForSentinelMode: true }),
      }),
      redisClient({ useFactory: () => ({ sentinels: [{ host: 'a', port: 1 }], name: 'x', role: 'slave' }) }),
      redisClient({ useFactory: () => (isLocal ? { url } : { host: 'h', port: 1 }) }),
      redisClient({ useFactory: async () => ({ url, ...(isLocal && { keyPrefix: 'x' }) }) }),
      redisClient({ useFactory: () => ({ host: settings?.url ?? 'h' }) }),
      redisClient({ useFactory: () => ({ url }) satisfies RedisClientOptions }),
      redisClient({ useFactory: () => JSON.parse('{}') }),
      redisClient({
        useFactory: () => {
          throw new Error('no');
        },
      }),
      redisCluster({
        useFactory: () => ({
          nodes: [{ host: 'h', port: 1 }],
          redisOptions: { keyPrefix: 'x' },
          natMap: { a: { host: 'h', port: 1 } },
        }),
      }),
      redisCluster({
        useFactory: () => ({ nodes: [url], dnsLookup: (a, done) => done(null, a), scaleReads: 'slave' }),
      }),
      dynamoDBClient({ useFactory: () => ({ region: 'x', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }) }),
      dynamoDBClient({ useFactory: () => ({ credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }) }) }),
      dynamoDBClient({ useFactory: () => ({ requestHandler: { httpAgent: new Agent(), connectionTimeout: 1 } }) }),
      dynamoDBClient({
        useFactory: () => ({
          logger: console,
          endpoint: async () => ({ protocol: 'http:', hostname: 'h', path: '/' }),
        }),
      }),
      ClientsModule.forRootAsync({ clients, useFactory: () => ({ redis: { url, keyPrefix: 'x' }, dynamodb: {} }) }),
      ClientsModule.forRootAsync({ clients, useFactory: () => ({ redis: isLocal ? { url } : { host: 'h' } }) }),
      ClientsModule.forRootAsync({
        clients,
        useFactory: async (): Promise<{ redis: RedisClientOptions }> => ({ redis: { url } }),
      }),
      ClientsModule.forRootAsync({ clients, useFactory: () => JSON.parse('{}') }),
    ]);
    expect(types(() => clients)).toBeUndefined();
  });
});
