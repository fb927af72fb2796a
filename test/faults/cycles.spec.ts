import { expect, it } from 'vitest';
import { describeWithRedis, startRedisServer } from '../support/redis-server.js';
import type { CyclesSettings, Sample } from './apps/cycles.js';
import { startApp } from './support/app-process.js';
import { startDynamoDBEndpoint } from './support/dynamodb-endpoint.js';
import { milliseconds, record } from './support/record.js';

const CYCLES = 1_000;
/** Cycles after which all code has been loaded and compiled. */
const WARM_UP = 300;
/** Turns off V8's compilers, whose compiled code would make the heap grow for many hundred cycles. */
const NODE_OPTIONS = ['--expose-gc', '--no-opt', '--no-sparkplug'];
/** Bytes a cycle, over those without this library, that are taken for noise: a registry that leaked would hold many times as much. */
const NONE = 512;

describeWithRedis('an application that is created and closed again and again', () => {
  it('leaves no connection, no timer and no memory', async () => {
    const plain = await run(true);
    const ours = await run(false);
    expect(ours.samples.flatMap(({ open }) => open)).toEqual([]);
    expect(ours.end).toBeLessThan(1_000); // nothing keeps the process alive
    const [slope, baseline] = [slopeOf(ours.samples), slopeOf(plain.samples)];
    expect(slope - baseline).toBeLessThan(NONE);
    const last = ((ours.samples.at(-1)?.heap ?? 0) / 2 ** 20).toFixed(1);
    const heap = `heap ${last} MB at the end, slope ${Math.round(slope)} bytes a cycle (${Math.round(baseline)} with the same clients and without this library)`;
    record('cycles', `0 connections; ${heap}; 0 timers, the process ended by itself ${milliseconds(ours.end)} after`);
  });
});

async function run(byHand: boolean): Promise<{ samples: Sample[]; end: number }> {
  await using redis = await startRedisServer();
  await using endpoint = await startDynamoDBEndpoint();
  const settings: CyclesSettings = {
    redis: { port: redis.port },
    dynamodb: endpoint.clientConfig,
    byHand,
    cycles: CYCLES,
    every: 25,
  };
  await using app = startApp('cycles', { settings, nodeOptions: NODE_OPTIONS });
  await app.says('done');
  const { code, at } = await app.exited;
  expect(code).toBe(0);
  expect(Number(await redis.command('GET', 'cycles'))).toBe(CYCLES);
  await redis.clients(0);
  await endpoint.proxy.disconnected();
  const samples = app.said('sample').map(({ value }) => value as Sample);
  return { samples: samples.filter(({ cycle }) => cycle >= WARM_UP), end: at - (app.said('done')[0]?.at ?? 0) };
}

/** Growth in bytes a cycle, by least squares. */
function slopeOf(samples: readonly Sample[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(samples.map(({ cycle }) => cycle)), mean(samples.map(({ heap }) => heap))];
  const covariance = mean(samples.map(({ cycle, heap }) => (cycle - x) * (heap - y)));
  return covariance / mean(samples.map(({ cycle }) => (cycle - x) ** 2));
}
