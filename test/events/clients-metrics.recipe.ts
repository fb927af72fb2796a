import { Injectable } from '@nestjs/common';
import { metrics } from '@opentelemetry/api';
import { ClientRegistry } from '../../src/index.js';

@Injectable()
export class ClientsMetrics {
  constructor(registry: ClientRegistry) {
    const meter = metrics.getMeter('nestjs-clients');
    const created = meter.createHistogram('clients.create.duration', { unit: 'ms' });
    const closed = meter.createHistogram('clients.close.duration', { unit: 'ms' });
    const errors = meter.createCounter('clients.errors');
    const states = meter.createObservableGauge('clients.state');
    const shares = meter.createObservableGauge('clients.consumers');

    // Clients that were built before this class was.
    for (const { name, createDuration } of registry.status()) {
      if (createDuration !== undefined) created.record(createDuration, { client: name, outcome: 'created' });
    }
    registry.events$.subscribe((event) => {
      const { client, type } = event;
      switch (type) {
        case 'created':
        case 'createFailed':
          created.record(event.duration, { client, outcome: type });
          break;
        case 'closed':
        case 'closeFailed':
          closed.record(event.duration, { client, outcome: type });
          break;
        case 'error':
          errors.add(1, { client, error: event.error.name });
          break;
        default: // 'creating', 'injected', 'connected' and 'closing': status() tells as much
      }
    });

    // Read whenever metrics are collected: one point a client, with its state of that moment.
    states.addCallback((result) => {
      for (const { name, kind, state } of registry.status()) result.observe(1, { client: name, kind, state });
    });
    shares.addCallback((result) => {
      for (const { name, consumers } of registry.status()) result.observe(consumers.length, { client: name });
    });
  }
}
