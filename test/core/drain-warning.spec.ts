import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NestFactory } from '@nestjs/core';
import { QUIET_DRAIN } from '../../src/module/drain-warning.js';
import { clientsOf, moduleOf, turn } from '../support/boot-app.js';
import { DrainApp } from '../support/drain-app.js';

const isWarning = (line: string): boolean => line.startsWith('warn: ');

/** Begins to close it, and lets `ms` pass once it waits for its server. The clock of the tests is theirs. */
async function closeFor(service: DrainApp, ms: number): Promise<{ closing: Promise<number> }> {
  const closing = service.close();
  for (let count = 0; count < 5; count += 1) await turn();
  vi.advanceTimersByTime(ms);
  for (let count = 0; count < 5; count += 1) await turn();
  return { closing };
}

describe('a shutdown that waits for the HTTP server', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it.each(['Express', 'Fastify'] as const)(
    'logs once, after 10 s, how many connections are open: %s',
    async (platform) => {
      const service = await DrainApp.start({ platform, drain: false });
      const connections = [await service.connect(), await service.connect()];
      const { closing } = await closeFor(service, QUIET_DRAIN - 1);
      expect(service.logger.lines.filter(isWarning)).toEqual([]);

      vi.advanceTimersByTime(60_000);
      for (let count = 0; count < 5; count += 1) await turn();
      expect(service.logger.lines.filter(isWarning)).toEqual([
        'warn: Shutdown has waited 10 s for the HTTP server: 2 connections are still open. Nest waits until they end, without a ' +
          'limit, and clients close only then. To bound it, import HttpDrainModule.forRoot() of nestjs-clients/http, or ' +
          'create the application with forceCloseConnections: true, which also cuts off handlers at work ClientsModule',
      ]);
      expect(service.journal.of('close')).toEqual([]);
      for (const { socket } of connections) socket.destroy();
      await closing;
      expect(service.journal.of('close')).toEqual(['close main']);
    },
  );

  it('logs nothing when the server has closed', async () => {
    const service = await DrainApp.start({ drain: false });
    const { closing } = await closeFor(service, 0);
    await closing;

    expect(vi.getTimerCount()).toBe(0);
    expect(service.logger.lines.filter(isWarning)).toEqual([]);
  });

  it('logs nothing with HttpDrainModule, which limits the wait', async () => {
    const service = await DrainApp.start({ drain: { timeout: QUIET_DRAIN + 1_000 } });
    const stream = await service.connect();
    await stream.sendRequest('/events');
    await stream.until(/begun/);
    const { closing } = await closeFor(service, QUIET_DRAIN);

    expect(service.logger.lines.filter(isWarning)).toEqual([]);
    vi.advanceTimersByTime(1_000);
    await closing;
    expect(service.lines).toHaveLength(1);
  });

  it('starts no timer before shutdown, nor where there is no server', async () => {
    const context = await NestFactory.createApplicationContext(moduleOf({ imports: [clientsOf({})] }), {
      logger: false,
    });
    expect(vi.getTimerCount()).toBe(0);
    await context.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
