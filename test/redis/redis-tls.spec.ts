import { expect, test } from 'vitest';
import { redisClient } from '../../src/redis/index.js';
import { makeCertificate } from '../support/certificate.js';
import { describeWithTls, startRedisServer } from '../support/redis-server.js';
import { turn } from '../support/boot-app.js';
import { drive } from './drive.js';

describeWithTls('a client that does not trust the server', () => {
  test('ends without a word wherever in the handshake it is closed', async () => {
    await using server = await startRedisServer({ certificate: makeCertificate() });
    for (let index = 0; index < 200; index += 1) {
      const options = { host: server.host, port: server.tlsPort as number, tls: {} };
      await using driven = await drive(redisClient(options));
      driven.client.connect().catch(() => {});
      for (let turns = index % 40; turns > 0; turns -= 1) await turn();
      expect(await driven.close()).toMatchObject({ status: 'end' });
    }
    await server.clients(0);
  });
});
