/**
 * Commands a second through a watched client with `credentials`, beside a bare one of ioredis, twice: all in one process,
 * in turns, so that whatever slows the machine down slows all of them down; by the clock and by the process's processor time. Arguments: rounds, commands a round.
 */
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { ClientRegistry, ClientsModule } from 'nestjs-clients';
import { redisClient } from 'nestjs-clients/redis';
import { REDIS_URL } from './settings.mjs';

const [rounds, commands] = process.argv.slice(2).map(Number);
/** Commands that are under way at the same time. */
const CONCURRENT = 50;
const PASSWORD = 'bench';

const { port } = new URL(REDIS_URL);
const admin = new Redis(REDIS_URL);
await admin.call('ACL', 'SETUSER', 'app', 'on', `>${PASSWORD}`, '~*', '&*', '+@all');
await admin.set('key', 'value');

class AppModule {}
Module({
  imports: [
    ClientsModule.forRoot({
      clients: {
        redis: redisClient({
          port: Number(port),
          // Half of it is left for longer than the run takes.
          credentials: async () => ({ username: 'app', password: PASSWORD, expiresAt: new Date(Date.now() + 900_000) }),
        }),
      },
    }),
  ],
})(AppModule);
const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const bare = () => new Redis({ port: Number(port), username: 'app', password: PASSWORD });
const clients = { ours: await app.get(ClientRegistry).get('redis'), bare: bare(), again: bare() };
await Promise.all(Object.values(clients).map((client) => client.ping()));

const series = Object.fromEntries(Object.keys(clients).map((name) => [name, { perSecond: [], perCpuSecond: [] }]));
for (let round = -2; round < rounds; round++) {
  const order = Object.entries(clients);
  if (round % 2) order.reverse();
  for (const [name, client] of order) {
    const run = await measure(client);
    if (round < 0) continue;
    for (const [figure, value] of Object.entries(run)) series[name][figure].push(value);
  }
}
await app.close();
for (const client of [clients.bare, clients.again, admin]) client.disconnect();
process.stdout.write(JSON.stringify(series));

async function measure(client) {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  let left = commands;
  const work = async () => {
    while (left-- > 0) await client.get('key');
  };
  await Promise.all(Array.from({ length: CONCURRENT }, work));
  const seconds = (performance.now() - startedAt) / 1e3;
  const { user, system } = process.cpuUsage(before);
  return { perSecond: commands / seconds, perCpuSecond: commands / ((user + system) / 1e6) };
}
