import { describe, expect, it } from 'vitest';
import { bootApp, clientsOf, recordEvents, registryOf } from '../support/boot-app.js';
import { Journal, type FakeClient } from '../support/journal.js';
import type { ClientDriver, ClientLifecycle } from '../../src/index.js';

type ReportConnection = (state: 'connected' | 'disconnected', reason?: unknown) => void;

async function bootWatched(driver: Partial<ClientDriver<FakeClient>> = {}, lifecycle?: ClientLifecycle) {
  let report!: ReportConnection;
  const journal = new Journal();
  const main = journal.client('main', { onConnection: (_, tell) => void (report = tell), ...driver }, lifecycle);
  const app = await bootApp({ imports: [clientsOf({ main })] });
  const registry = registryOf(app);
  const events = recordEvents(registry);
  await registry.get('main');
  return { app, registry, events, report: ((...told) => report(...told)) as ReportConnection };
}

describe('a client whose driver has onConnection', () => {
  it('is connecting from the first attempt on, connected when it is there, disconnected when it is lost', async () => {
    const { registry, report } = await bootWatched();
    expect(registry.status()[0]?.connection).toBe('connecting');
    report('connected');
    expect(registry.status()[0]).toMatchObject({ connection: 'connected', connectedAt: expect.any(Date) });
    report('disconnected', new Error('ECONNRESET'));
    expect(registry.status()[0]).toMatchObject({
      connection: 'disconnected',
      lastError: { message: 'ECONNRESET' },
    });
  });

  it('has no connection status before it connects', async () => {
    const { registry } = await bootWatched({}, { connect: 'use' });
    expect(registry.status()[0]).not.toHaveProperty('connection');
  });

  it('has none once it has closed, and tells when it was last gained', async () => {
    const { app, registry, report } = await bootWatched();
    report('connected');
    await app.close();
    const [status] = registry.status();
    expect(status).toMatchObject({ state: 'closed', connectedAt: expect.any(Date) });
    expect(status).not.toHaveProperty('connection');
  });

  it('gives the reason once in its health answer while the connection is lost, and none that is over', async () => {
    const check = () => Promise.reject(new Error('not connected'));
    const { registry, report } = await bootWatched({ check });
    const problem = async () => (await registry.check('main')).error?.message;
    report('disconnected', new Error('ECONNREFUSED'));
    expect(await problem()).toBe('not connected; its last error: ECONNREFUSED');
    report('connected');
    expect(await problem()).toBe('not connected');
    report('disconnected', new Error('it is not connected'));
    expect(await problem()).toBe('not connected; its last error: it is not connected');
    report('disconnected', new Error('connected'));
    expect(await problem()).toBe('not connected');
  });

  it('publishes each gain and each loss once, with the time that the connection was gone', async () => {
    const { events, report } = await bootWatched();
    for (const state of ['connected', 'connected', 'disconnected', 'connected'] as const) report(state);
    const told = events.filter(({ type }) => type.endsWith('connected'));
    expect(told).toMatchObject([
      { type: 'connected', duration: expect.any(Number) },
      { type: 'disconnected' },
      { type: 'connected', duration: expect.any(Number) },
    ]);
    expect(told[1]).not.toHaveProperty('error');
  });

  it('publishes a hang-up before the client was ready as an error', async () => {
    const { events, report } = await bootWatched();
    report('disconnected');
    expect(events.at(-1)).toMatchObject({
      type: 'error',
      error: { message: 'the server closed the connection before the client was ready' },
    });
  });

  it('keeps credentials out of the reason', async () => {
    const { events, report } = await bootWatched();
    report('connected');
    report('disconnected', new Error('lost redis://app:hunter2@db.internal'));
    expect(JSON.stringify(events.at(-1), ['type', 'error', 'message'])).not.toContain('hunter2');
  });

  it('publishes nothing once the client closes', async () => {
    const { app, events, report } = await bootWatched({ close: () => report('disconnected') });
    report('connected');
    await app.close();
    expect(events.map(({ type }) => type)).not.toContain('disconnected');
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('no events'))],
    [
      'returns a thenable that rejects',
      // oxlint-disable-next-line unicorn/no-thenable -- that is the subject
      () => ({ then: (_: unknown, reject: (e: Error) => void) => reject(new Error('no events')) }),
    ],
  ])('is reported, not fatal, when its hook %s', async (_, onConnection) => {
    const { events } = await bootWatched({ onConnection });
    await new Promise((resolve) => setImmediate(resolve));
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'error', error: expect.objectContaining({ message: 'no events' }) }),
    );
  });
});
