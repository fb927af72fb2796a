import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { metrics } from '@opentelemetry/api';
import { ConsoleMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { ClientRegistry } from 'nestjs-clients';
import { ClientsTelemetry } from 'nestjs-clients/opentelemetry';
import type { AppConfig } from '../config/environment.js';

/**
 * The clients' metrics, written to the console: replace `ConsoleMetricExporter` with your own exporter. A service that
 * starts OpenTelemetry before Nest, as most do, needs no more than `providers: [ClientsTelemetry]`.
 */
@Module({
  providers: [
    {
      provide: MeterProvider,
      inject: [ConfigService],
      useFactory: (config: AppConfig) => {
        const exportIntervalMillis = config.get('OTEL_METRIC_EXPORT_INTERVAL', { infer: true });
        const exporter = new ConsoleMetricExporter();
        const provider = new MeterProvider({
          readers: [
            new PeriodicExportingMetricReader({
              exporter,
              exportIntervalMillis,
              exportTimeoutMillis: exportIntervalMillis,
            }),
          ],
        });
        metrics.setGlobalMeterProvider(provider);
        return provider;
      },
    },
    {
      // After the meter provider, from which it takes its instruments.
      provide: ClientsTelemetry,
      inject: [ClientRegistry, MeterProvider],
      useFactory: (registry: ClientRegistry) => new ClientsTelemetry(registry),
    },
  ],
})
export class MetricsModule implements OnApplicationShutdown {
  constructor(private readonly provider: MeterProvider) {}

  /** Writes what has been measured since the last export. Clients close after this. */
  async onApplicationShutdown(): Promise<void> {
    await this.provider.shutdown();
  }
}
