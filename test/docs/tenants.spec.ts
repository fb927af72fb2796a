import { Controller, Get, NotFoundException, Param, type DynamicModule, type Type } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ClientsModule, InjectClient, keyedClients, type KeyedClients } from '../../src/index.js';
import { startRedisServer } from '../../src/testing/index.js';
import { bootApp, registryOf, rejection, request } from '../support/boot-app.js';
import { runExample } from './examples.js';

const PAGE = 'docs/tenants.md';

interface Page {
  readonly TenantClientsModule: DynamicModule;
  readonly Visits: Type<{ count(tenant: string): Promise<number> }>;
}

/** Two tenants, each with a Redis of its own. */
async function startTenants(): Promise<void> {
  for (const tenant of ['ACME', 'GLOBEX', 'DEFAULT']) {
    const server = await startRedisServer();
    process.env[`REDIS_URL_OF_${tenant}`] = server.url;
    onTestFinished(async () => {
      delete process.env[`REDIS_URL_OF_${tenant}`];
      await server.close();
    });
  }
}

describe(PAGE, () => {
  it('counts each tenant on its own Redis, and refuses one that does not exist', async () => {
    await startTenants();
    const { TenantClientsModule, Visits } = await runExample<Page>(PAGE, 'TenantClientsModule');
    const app = await bootApp({ imports: [TenantClientsModule], providers: [Visits] });
    const visits = app.get(Visits);
    expect(await visits.count('acme')).toBe(1);
    expect(await visits.count('acme')).toBe(2);
    expect(await visits.count('globex')).toBe(1);
    const error = await rejection(visits.count('nobody'));
    expect(error).toMatchObject({ code: 'CLIENTS_CREATE_FAILED', client: 'tenants', key: 'nobody' });
    expect(error.message).toContain('there is no such tenant');
  });

  it('answers 404 for a tenant that does not exist, and 500 for another error', async () => {
    const { UnknownTenantFilter } = await runExample<{ UnknownTenantFilter: Type }>(PAGE, 'UnknownTenantFilter');
    const tenants = keyedClients({
      define: (tenant: string) => {
        throw tenant === 'nobody' ? new NotFoundException('there is no such tenant') : new Error('no directory');
      },
    });
    @Controller()
    class Visits {
      constructor(@InjectClient('tenants') private readonly keyed: KeyedClients<unknown>) {}
      @Get(':tenant')
      visit(@Param('tenant') tenant: string): Promise<string> {
        return this.keyed.use(tenant, () => 'visited');
      }
    }
    const providers = [{ provide: APP_FILTER, useClass: UnknownTenantFilter }];
    const app = await bootApp(
      { imports: [ClientsModule.forRoot({ clients: { tenants } })], providers, controllers: [Visits] },
      { listen: true },
    );

    expect(await (await request(app, '/nobody')).json()).toMatchObject({
      statusCode: 404,
      message: 'there is no such tenant',
    });
    expect((await request(app, '/acme')).status).toBe(500);
  });

  it('reads the tenant from the header through nestjs-cls', async () => {
    await startTenants();
    const { TenantClientsModule } = await runExample<Page>(PAGE, 'TenantClientsModule');
    const { TenantContextModule, TenantRedis } = await runExample<{
      TenantContextModule: DynamicModule;
      TenantRedis: Type<{ use<R>(work: (redis: Redis) => Promise<R>): Promise<R> }>;
    }>(PAGE, 'TenantContextModule');

    let service!: InstanceType<typeof TenantRedis>;
    @Controller()
    class Visits {
      @Get()
      async count(): Promise<string> {
        return String(await service.use((redis) => redis.incr('visits')));
      }
    }
    const root = {
      imports: [TenantClientsModule, TenantContextModule],
      providers: [TenantRedis],
      controllers: [Visits],
    };
    const app = await bootApp(root, { listen: true });
    service = app.get(TenantRedis);
    const visit = async (headers: Record<string, string>): Promise<string> =>
      (await fetch(await app.getUrl(), { headers: { ...headers, connection: 'close' } })).text();
    expect(await visit({ 'x-tenant': 'acme' })).toBe('1');
    expect(await visit({ 'x-tenant': 'acme' })).toBe('2');
    expect(await visit({})).toBe('1');
  });

  it('copies with a lease, and builds anew after a rotation', async () => {
    await startTenants();
    const { TenantClientsModule } = await runExample<Page>(PAGE, 'TenantClientsModule');
    const { copy } = await runExample<{
      copy: (tenants: KeyedClients<Redis>, from: string, to: string) => Promise<void>;
    }>(PAGE, 'copy');
    const { RotationController } = await runExample<{
      RotationController: Type<{ rotated(tenant: string): Promise<void> }>;
    }>(PAGE, 'RotationController');
    const app = await bootApp({ imports: [TenantClientsModule], controllers: [RotationController] });
    const tenants = (await registryOf(app).get('tenants')) as KeyedClients<Redis>;
    const old = await tenants.use('acme', async (redis) => {
      await redis.set('one', 1);
      return redis;
    });
    await copy(tenants, 'acme', 'globex');
    expect(await tenants.use('globex', (redis) => redis.smembers('copied'))).toContain('one');
    await app.get(RotationController).rotated('acme');
    expect(old.status).toBe('end');
    expect(await tenants.use('acme', (redis) => redis)).not.toBe(old);
  });

  it('declares a client for each region', async () => {
    const { RegionalClientsModule } = await runExample<{ RegionalClientsModule: DynamicModule }>(
      PAGE,
      'RegionalClientsModule',
    );
    const app = await bootApp({ imports: [RegionalClientsModule] });
    const regions = (await registryOf(app).get('regions')) as KeyedClients<{ config: { region(): Promise<string> } }>;
    expect(await regions.use('eu-west-1', (client) => client.config.region())).toBe('eu-west-1');
  });
});
