import { Injectable, type INestApplication, type Type } from '@nestjs/common';
import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
  type Histogram,
} from '@opentelemetry/sdk-metrics';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { InjectClient } from '../../src/index.js';
import { bootApp, clientsOf, registryOf, rejection } from '../support/boot-app.js';
import { asPublished, codeBlocksOf } from '../support/doc-code.js';
import { Journal, type FakeClient } from '../support/journal.js';
import { ClientsMetrics } from './clients-metrics.recipe.js';

@Injectable()
class Links {
  constructor(@InjectClient('a') readonly a: FakeClient) {}
}

@Injectable()
class Stats {
  constructor(@InjectClient('a') readonly a: FakeClient) {}
}

function listen(client: FakeClient, report: (error: unknown) => void): void {
  client.on('error', report);
}

function boot(providers: Type[] = [ClientsMetrics, Links, Stats]): Promise<INestApplication> {
  const journal = new Journal();
  const clients = {
    a: journal.client('a', { onError: listen }),
    broken: journal.client('broken', { create: () => Promise.reject(new TypeError('no licence')) }),
    unused: journal.client('unused'),
  };
  return bootApp({ imports: [clientsOf(clients)], providers });
}

describe('the OpenTelemetry recipe', () => {
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

  /** What an exporter gets now, as `attributes => value`; a histogram's value is how many it has recorded. */
  const collect = async (name: string): Promise<Record<string, number>> => {
    exporter.reset();
    await provider.forceFlush();
    const [resource] = exporter.getMetrics();
    const scope = resource?.scopeMetrics.find((candidate) => candidate.scope.name === 'nestjs-clients');
    const metric = scope?.metrics.find(({ descriptor }) => descriptor.name === name);
    const points = (metric?.dataPoints ?? []) as DataPoint<number | Histogram>[];
    return Object.fromEntries(
      points.map(({ attributes, value }) => [
        Object.values(attributes).join(' '),
        typeof value === 'number' ? value : value.count,
      ]),
    );
  };

  it('records how long clients take to be built, and which are not built', async () => {
    const app = await boot();
    await rejection(registryOf(app).get('broken'));
    expect(await collect('clients.create.duration')).toEqual({ 'a created': 1, 'broken createFailed': 1 });
  });

  it('records clients that were built before it was', async () => {
    const app = await boot([Links, Stats]);
    const before = registryOf(app).status();
    expect(before[0]?.createDuration).toBeDefined();
    const metricsOfApp = new ClientsMetrics(registryOf(app));
    expect(metricsOfApp).toBeDefined();
    expect(await collect('clients.create.duration')).toEqual({ 'a created': 1 });
  });

  it('shows the state of each client and how many classes share it', async () => {
    const app = await boot();
    expect(await collect('clients.state')).toEqual({
      'a custom open': 1,
      'broken custom idle': 1,
      'unused custom idle': 1,
    });
    expect(await collect('clients.consumers')).toEqual({ a: 2, broken: 0, unused: 0 });

    await app.close();
    expect(await collect('clients.state')).toMatchObject({ 'a custom closed': 1 });
  });

  it('counts the errors that clients report, by name and not by message', async () => {
    const { a } = (await boot()).get(Links);
    for (const port of [1, 2, 3]) a.emit('error', new RangeError(`refused on port ${port}`));
    expect(await collect('clients.errors')).toEqual({ 'a RangeError': 3 });
  });

  it('records how long clients take to be closed', async () => {
    const app = await boot();
    await app.close();
    expect(await collect('clients.close.duration')).toEqual({ 'a closed': 1 });
  });

  it('is what docs/metrics.md shows', async () => {
    expect(await codeBlocksOf('docs/metrics.md')).toContain(await asPublished('test/events/clients-metrics.recipe.ts'));
  });
});
