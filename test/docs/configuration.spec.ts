import { Injectable, type DynamicModule, type INestApplication, type Type } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InjectClient, getClientToken } from '../../src/index.js';
import { InjectRedis } from '../../src/redis/index.js';
import { startRedisServer, type RedisServer } from '../../src/testing/index.js';
import { bootApp, moduleOf, registryOf, rejection } from '../support/boot-app.js';
import { runExample } from './examples.js';

const PAGE = 'docs/configuration.md';
const LOCAL = 'redis://localhost:6379';

@Injectable()
class Handler {
  constructor(@InjectRedis() readonly redis: Redis) {}
}

function configOf(values: Record<string, string>): Promise<DynamicModule> {
  return ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, ignoreEnvVars: true, load: [() => values] });
}

function stateOf(app: INestApplication, name: string): string | undefined {
  return registryOf(app)
    .status()
    .find((client) => client.name === name)?.state;
}

describe(PAGE, () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());

  it('declares clients whose options are known', async () => {
    const { FixedClientsModule } = await runExample<{ FixedClientsModule: DynamicModule }>(PAGE, 'FixedClientsModule', {
      [LOCAL]: server.url,
    });
    const app = await bootApp({ imports: [FixedClientsModule], providers: [Handler] });

    expect(await app.get(Handler).redis.ping()).toBe('PONG');
    expect(stateOf(app, 'dynamodb')).toBe('idle');
  });

  it.each(['AppClientsModule', 'SuppliedClientsModule', 'RedisModule'])(
    'takes options from elsewhere: %s',
    async (name) => {
      const example = await runExample<Record<string, DynamicModule>>(PAGE, name);
      const config = configOf({ REDIS_URL: server.url, AWS_REGION: 'eu-west-1' });
      const app = await bootApp({ imports: [await config, example[name] as DynamicModule], providers: [Handler] });

      expect(await app.get(Handler).redis.ping()).toBe('PONG');
    },
  );

  it('overrides declared options with supplied ones', async () => {
    const { SuppliedClientsModule } = await runExample<Record<string, DynamicModule>>(PAGE, 'SuppliedClientsModule');
    const config = await configOf({ REDIS_URL: server.url, AWS_REGION: 'eu-south-2' });
    const app = await bootApp({ imports: [config, SuppliedClientsModule as DynamicModule] });
    const { config: options } = (await registryOf(app).get('dynamodb')) as {
      config: { maxAttempts(): Promise<number>; region(): Promise<string> };
    };

    expect([await options.maxAttempts(), await options.region()]).toEqual([2, 'eu-south-2']);
  });

  it.each([
    ['AppClientsModule', 'resolved'],
    ['SuppliedClientsModule', 'CLIENTS_CREATE_FAILED'],
  ])('a missing variable fails what its factory supplies: %s', async (name, outcome) => {
    const example = await runExample<Record<string, DynamicModule>>(PAGE, name);
    const app = await bootApp({ imports: [await configOf({}), example[name] as DynamicModule] });
    const registry = registryOf(app);

    expect(await rejection(registry.get('redis'))).toMatchObject({ code: 'CLIENTS_CREATE_FAILED' });
    const dynamodb = registry.get('dynamodb').then(
      () => 'resolved',
      (error: { code: string }) => error.code,
    );
    expect(await dynamodb).toBe(outcome);
  });

  it('lets each feature declare its own clients', async () => {
    const { ShopModule, Carts } = await runExample<{ ShopModule: Type; Carts: Type<{ redis: Redis }> }>(
      PAGE,
      'ShopModule',
      {
        [LOCAL]: server.url,
      },
    );
    const app = await bootApp({ imports: [ShopModule], providers: [Handler] });

    expect(await app.get(Carts, { strict: false }).redis.ping()).toBe('PONG');
    expect(app.get(Handler).redis).not.toBe(app.get(Carts, { strict: false }).redis);
    expect(registryOf(app).status()).toHaveLength(2);
  });

  it('keeps clients to the modules that import them', async () => {
    @Injectable()
    class Outsider {
      constructor(@InjectClient('ledger') readonly ledger: Redis) {}
    }
    const { BillingModule } = await runExample<{ BillingModule: Type }>(PAGE, 'BillingModule');

    const app = await bootApp({ imports: [BillingModule] });
    expect(registryOf(app).status()).toMatchObject([{ name: 'ledger', state: 'idle' }]);

    const outside = moduleOf({ imports: [BillingModule], providers: [Outsider] });
    expect((await rejection(bootApp(outside))).message).toContain(getClientToken('ledger'));
  });
});
