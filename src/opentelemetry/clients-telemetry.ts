import { Inject, Injectable } from '@nestjs/common';
import { metrics, type Attributes, type BatchObservableResult, type Histogram, type Meter } from '@opentelemetry/api';
import type { ClientEvent } from '../events/client-event.js';
import { ClientRegistry } from '../registry/client-registry.js';
import type { ClientState, ClientStatus } from '../registry/client-status.js';

const STATES: readonly ClientState[] = ['idle', 'creating', 'open', 'closing', 'closed'];
/** In seconds, as in OpenTelemetry's semantic conventions for durations. The SDK's default buckets are meant for milliseconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** Codes and names that may be an attribute. Arbitrary values would each create a time series. */
const ERROR_TYPE = /^[\w.:-]{1,64}$/;

/**
 * Publishes OpenTelemetry metrics about the clients: `nestjs.client.create.duration`,
 * `nestjs.client.close.duration` (histograms of seconds), `nestjs.client.errors`, `nestjs.client.disconnections`
 * (counters), `nestjs.client.state` and `nestjs.client.consumers` (observed when metrics are collected).
 *
 * List it among the `providers` of the root module, and register a meter provider before Nest starts; without one it does
 * nothing. It stops when the clients have closed.
 *
 * @example
 * @Module({ imports: [ClientsModule.forRoot({ clients })], providers: [ClientsTelemetry] })
 * export class AppModule {}
 */
@Injectable()
export class ClientsTelemetry {
  readonly #registry: ClientRegistry;
  readonly #kinds = new Map<string, string>();

  constructor(@Inject(ClientRegistry) registry: ClientRegistry) {
    this.#registry = registry;
    const meter = metrics.getMeter('nestjs-clients');
    this.#record(meter);
    this.#observe(meter);
  }

  #record(meter: Meter): void {
    const created = createDurations(meter, 'nestjs.client.create.duration', 'How long building a client takes.');
    const closed = createDurations(meter, 'nestjs.client.close.duration', 'How long closing a client takes.');
    const errors = meter.createCounter('nestjs.client.errors', {
      description: 'Errors that clients report in the background.',
      unit: '{error}',
    });
    const disconnections = meter.createCounter('nestjs.client.disconnections', {
      description: 'Connections that are lost while the client is open.',
      unit: '{disconnection}',
    });
    // `events$` does not repeat past events, so clients that are built already are recorded here.
    for (const status of this.#registry.status()) {
      for (const { createDuration } of [status, ...(status.members ?? [])]) {
        if (createDuration !== undefined) created.record(createDuration / 1_000, attributesOf(status));
      }
    }
    this.#registry.events$.subscribe((event) => {
      const attributes = this.#attributesOf(event);
      switch (event.type) {
        case 'created':
        case 'createFailed':
          created.record(event.duration / 1_000, attributes);
          break;
        case 'closed':
        case 'closeFailed':
          closed.record(event.duration / 1_000, attributes);
          break;
        case 'error':
          errors.add(1, attributes);
          break;
        case 'disconnected':
          disconnections.add(1, attributes);
          break;
        default: // 'creating', 'injected', 'connected' and 'closing': status() covers them
      }
    });
  }

  /** Observes the clients whenever metrics are collected, for the last time at the first collection after they have closed. */
  #observe(meter: Meter): void {
    const states = meter.createObservableUpDownCounter('nestjs.client.state', {
      description: '1 for the state that a client is in, 0 for each other.',
      unit: '{client}',
    });
    const consumers = meter.createObservableUpDownCounter('nestjs.client.consumers', {
      description: 'Classes that share a client.',
      unit: '{class}',
    });
    const both = [states, consumers];
    let isOver = false;
    this.#registry.events$.subscribe({ complete: () => (isOver = true) });
    const observe = (result: BatchObservableResult): void => {
      for (const status of this.#registry.status()) {
        const attributes = attributesOf(status);
        result.observe(consumers, status.consumers.length, attributes);
        // A 0 for the other states too: some SDKs keep the last value of a series that is no longer observed.
        for (const state of STATES) {
          result.observe(states, state === status.state ? 1 : 0, { ...attributes, 'nestjs.client.state': state });
        }
      }
      // Later, because the SDK is just iterating over its list of callbacks.
      if (isOver) queueMicrotask(() => meter.removeBatchObservableCallback(observe, both));
    };
    meter.addBatchObservableCallback(observe, both);
  }

  /** Leaves out the key of a keyed client: there can be any number of keys, each a time series. */
  #attributesOf(event: ClientEvent): Attributes {
    if (!this.#kinds.has(event.client)) {
      for (const { name, kind } of this.#registry.status()) this.#kinds.set(name, kind);
    }
    const attributes = attributesOf({ name: event.client, kind: this.#kinds.get(event.client) ?? 'custom' });
    if ('error' in event && event.error) attributes['error.type'] = typeOf(event.error);
    return attributes;
  }
}

function createDurations(meter: Meter, name: string, description: string): Histogram {
  return meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: BUCKETS } });
}

function attributesOf({ name, kind }: Pick<ClientStatus, 'name' | 'kind'>): Attributes {
  return { 'nestjs.client.name': name, 'nestjs.client.kind': kind };
}

/** The error's code, such as ECONNREFUSED, or else its name. Never its message, which may differ each time. */
function typeOf(error: Error & { code?: unknown }): string {
  const type = [error.code, error.name].find((one) => typeof one === 'string' && ERROR_TYPE.test(one));
  return typeof type === 'string' ? type : '_OTHER';
}
