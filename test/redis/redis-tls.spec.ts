import { expect, it } from 'vitest';
import { redisClient } from '../../src/redis/index.js';
import { makeCertificate } from '../support/certificate.js';
import { describeWithTls, startRedisSentinels, startRedisServer } from '../support/redis-server.js';
import { turn } from '../support/boot-app.js';
import { drive } from './drive.js';

describeWithTls('a client that does not trust the server', () => {
  it('ends without an error at whatever point of the handshake it is closed', async () => {
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

describeWithTls('a client of Sentinels that talk TLS', () => {
  it.each([false, true])(
    'answers what is pending and leaves no connection, with failoverDetector: $0',
    async (failoverDetector) => {
      const certificate = makeCertificate();
      await using group = await startRedisSentinels(certificate);
      const tls = { ca: certificate.cert };
      const secure = { tls, sentinelTLS: tls, enableTLSForSentinelMode: true };
      await using driven = await drive(redisClient({ ...group.options, ...secure, failoverDetector }));
      const subscribed = failoverDetector ? driven.event('failoverSubscribed') : undefined;
      await driven.client.ping();
      await subscribed;
      driven.watch(...Array.from({ length: 1_000 }, (_, index) => driven.client.set(`key:${index}`, index)));
      const closing = await driven.close();

      expect(closing).toMatchObject({ forced: false, status: 'end', commands: { answered: 1_000, rejected: 0 } });
      await Promise.all([group.primary, ...group.sentinels].map((server) => server.clients(0)));
    },
  );

  it('ends without an error at whatever point of the handshake with an untrusted Sentinel it is closed', async () => {
    await using group = await startRedisSentinels(makeCertificate());
    const options = { ...group.options, sentinelTLS: {}, enableTLSForSentinelMode: true, failoverDetector: true };
    for (let index = 0; index < 40; index += 1) {
      await using driven = await drive(redisClient(options));
      driven.client.connect().catch(() => {});
      for (let turns = index; turns > 0; turns -= 1) await turn();
      expect(await driven.close()).toMatchObject({ status: 'end' });
    }
    await Promise.all(group.sentinels.map((server) => server.clients(0)));
  });
});
