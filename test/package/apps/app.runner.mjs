// What a user's end-to-end test looks like. Vitest and Jest have the same functions under other names.
import 'reflect-metadata';
import { Test } from '@nestjs/testing';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import * as clients from 'nestjs-clients';
import * as redis from 'nestjs-clients/redis';
import * as testing from 'nestjs-clients/testing';
import visits from './visits-app.cjs';

const packages = [common, core, clients, redis, testing];

export function describeVisits({ describe, it, beforeAll, afterAll, afterEach, expect }) {
  describe('visits', () => {
    let server;

    beforeAll(async () => {
      server = await testing.startRedisServer();
    });
    afterEach(() => testing.closeAllClients());
    afterAll(() => server.close());

    const prepare = () => Test.createTestingModule({ imports: [visits.createAppModule(packages, server.url)] });

    it('counts in Redis', async () => {
      const app = (await prepare().compile()).createNestApplication();
      await app.listen(0, '127.0.0.1');
      await visits.useAndClose(packages, app);
    });

    it('builds nothing for a client that is overridden', async () => {
      const fake = { incr: async () => 41 };
      const module = await prepare().overrideProvider(clients.getClientToken('redis')).useValue(fake).compile();
      expect(await module.resolve(clients.getClientToken('redis'))).toBe(fake);
      expect(module.get(clients.ClientRegistry).status().map(({ state }) => state)).toEqual(['idle', 'idle']);
    });

    it('leaves nothing behind in a test that closes nothing', async () => {
      const module = await prepare().compile();
      await module.init();
      const client = await module.get(clients.ClientRegistry).get('redis');
      expect(await client.ping()).toBe('PONG');
    });
  });
}
