import { Injectable, type INestApplication, type Type } from '@nestjs/common';
import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { InjectClient, type ClientEvent } from '../../src/index.js';
import { ClientsTelemetry } from '../../src/opentelemetry/index.js';
import { bootApp, clientsOf, registryOf, rejection } from '../support/boot-app.js';
import { Journal, type FakeClient } from '../support/journal.js';

@Injectable()
class Links {
  constructor(@InjectClient('a') readonly a: FakeClient) {}
}

@Injectable()
class Stats {
  constructor(@InjectClient('a') readonly a: FakeClient) {}
}

let journal: Journal;
/** How the client `a` says that its connection is there or lost. */
let connection: (state: 'connected' | 'disconnected', reason?: unknown) => void;

function boot(providers: Type[] = [ClientsTelemetry, Links, Stats]): Promise<INestApplication> {
  journal = new Journal();
  const clients = {
    a: journal.client('a', {
      onError: (client, report) => void client.on('error', report),
      onConnection: (_, report) => void (connection = report),
    }),
    broken: journal.client('broken', { create: () => Promise.reject(new TypeError('no licence')) }),
    unused: journal.client('unused'),
  };
  return bootApp({ imports: [clientsOf(clients)], providers });
}

describe('ClientsTelemetry', () => {
  let exporter: InMemoryMetricExporter;
  let provider: MeterProvider;

  beforeEach(() => {
    exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    provider = new MeterProvider({
      readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
    });
    metrics.setGlobalMeterProvider(provider);
    onTestFinished(async () => {
      metrics.disable();
      await provider.shutdown();
    });
  });

  /** What an exporter gets now, by the metric's name. */
  const collectAll = async (): Promise<Map<string, MetricData>> => {
    exporter.reset();
    await provider.forceFlush();
    const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    const ours = scopes.filter(({ scope }) => scope.name === 'nestjs-clients').flatMap((one) => one.metrics);
    return new Map(ours.map((metric) => [metric.descriptor.name, metric]));
  };

  /** The points of a metric, as `attributes => value`; a histogram's value is how many it has recorded. */
  const collect = async (name: string): Promise<Record<string, number>> => {
    const points = ((await collectAll()).get(name)?.dataPoints ?? []) as DataPoint<number | Histogram>[];
    return Object.fromEntries(
      points.map(({ attributes, value }) => [
        Object.values(attributes).join(' '),
        typeof value === 'number' ? value : value.count,
      ]),
    );
  };

  /** The points whose value is not 0. */
  const collectStates = async (): Promise<string[]> => {
    const states = Object.entries(await collect('nestjs.client.state'));
    return states.filter(([, value]) => value === 1).map(([attributes]) => attributes);
  };

  it('records how long clients take to be built, and which are not built', async () => {
    const app = await boot();
    await rejection(registryOf(app).get('broken'));

    expect(await collect('nestjs.client.create.duration')).toEqual({
      'a custom': 1,
      'broken custom CLIENTS_CREATE_FAILED': 1,
    });
  });

  it('records clients that were built before it was', async () => {
    const app = await boot([Links, Stats]);
    const telemetry = new ClientsTelemetry(registryOf(app));

    expect(telemetry).toBeDefined();
    expect(await collect('nestjs.client.create.duration')).toEqual({ 'a custom': 1 });
  });

  it('records how long clients take to be closed', async () => {
    const app = await boot();
    await app.close();

    expect(await collect('nestjs.client.close.duration')).toEqual({ 'a custom': 1 });
  });

  it('records seconds, in buckets that are meant for them', async () => {
    const app = await boot();
    const [{ createDuration = NaN } = {}] = registryOf(app).status();
    await app.close();
    const all = await collectAll();

    for (const name of ['nestjs.client.create.duration', 'nestjs.client.close.duration']) {
      const { descriptor, dataPoints } = all.get(name)!;
      const { value } = dataPoints[0] as DataPoint<Histogram>;
      expect(descriptor.unit).toBe('s');
      expect(value.buckets.boundaries.slice(0, 3)).toEqual([0.005, 0.01, 0.025]);
      expect(value.buckets.boundaries.at(-1)).toBe(10);
    }
    const [{ value }] = all.get('nestjs.client.create.duration')!.dataPoints as [DataPoint<Histogram>];
    expect(value.sum).toBeCloseTo(createDuration / 1_000, 9);
  });

  it('shows the state of each client, and that of the moment only', async () => {
    const app = await boot();
    expect(await collectStates()).toEqual(['a custom open', 'broken custom idle', 'unused custom idle']);
    expect(Object.keys(await collect('nestjs.client.state'))).toHaveLength(3 * 5);

    await app.close();
    expect(await collectStates()).toEqual(['a custom closed', 'broken custom closed', 'unused custom closed']);
  });

  it('shows how many classes share a client', async () => {
    await boot();

    expect(await collect('nestjs.client.consumers')).toEqual({ 'a custom': 2, 'broken custom': 0, 'unused custom': 0 });
  });

  it('counts the errors that clients report, by code or name and never by message', async () => {
    const { a } = (await boot()).get(Links);
    for (const port of [1, 2, 3]) a.emit('error', new RangeError(`refused on port ${port}`));
    a.emit('error', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }));
    a.emit('error', Object.assign(new Error('odd'), { code: 'a text of any length', name: 'x'.repeat(100) }));

    expect(await collect('nestjs.client.errors')).toEqual({
      'a custom RangeError': 3,
      'a custom ECONNREFUSED': 1,
      'a custom _OTHER': 1,
    });
  });

  it('counts the connections that are lost', async () => {
    await boot();
    connection('connected');
    connection('disconnected', Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
    connection('connected');
    connection('disconnected');

    expect(await collect('nestjs.client.disconnections')).toEqual({ 'a custom ECONNRESET': 1, 'a custom': 1 });
  });

  it('has no key of a keyed client among its attributes', async () => {
    const registry = registryOf(await boot([Links]));
    const events: ClientEvent[] = [
      { type: 'created', client: 'unused', key: 'tenant-1', at: new Date(), duration: 1 },
      { type: 'error', client: 'unused', key: 'tenant-2', at: new Date(), error: new Error('x') },
      { type: 'disconnected', client: 'unused', key: 'tenant-3', at: new Date() },
      { type: 'closed', client: 'unused', key: 'tenant-4', at: new Date(), duration: 1 },
    ];
    // The subscriber of the telemetry is given what a keyed client would publish.
    const subscribe = vi.spyOn(registry.events$, 'subscribe');
    expect(new ClientsTelemetry(registry)).toBeDefined();
    const listeners = subscribe.mock.calls.map(([listener]) => listener).filter((one) => typeof one === 'function');
    for (const event of events) for (const listener of listeners) listener(event);
    const all = await collectAll();
    const attributes = [...all.values()].flatMap((metric) => metric.dataPoints.map((point) => point.attributes));

    expect([...all.keys()].toSorted()).toEqual([
      'nestjs.client.close.duration',
      'nestjs.client.consumers',
      'nestjs.client.create.duration',
      'nestjs.client.disconnections',
      'nestjs.client.errors',
      'nestjs.client.state',
    ]);
    expect(JSON.stringify(attributes)).not.toContain('tenant');
    expect(new Set(attributes.flatMap((one) => Object.keys(one)))).toEqual(
      new Set(['nestjs.client.name', 'nestjs.client.kind', 'nestjs.client.state', 'error.type']),
    );
  });

  it('looks at the clients once more after they have closed, and then no more', async () => {
    const app = await boot();
    const status = vi.spyOn(registryOf(app), 'status');
    await collectAll();
    await app.close();
    const beforeLast = status.mock.calls.length;
    await collectAll();
    const afterLast = status.mock.calls.length;
    await collectAll();

    expect(afterLast).toBe(beforeLast + 1);
    expect(status.mock.calls).toHaveLength(afterLast);
  });

  it('does nothing without a meter provider', async () => {
    metrics.disable();
    const app = await boot();
    await app.close();

    expect(registryOf(app).status()[0]).toMatchObject({ name: 'a', state: 'closed' });
  });
});
