import { Test, type TestingModule } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { ClientRegistry, ClientsModule, defineClient } from '../../src/index.js';
import { closeAllClients } from '../../src/testing/index.js';

class Connection {
  closed = 0;
}

async function open(close: (connection: Connection) => unknown = (connection) => (connection.closed += 1)) {
  const app: TestingModule = await Test.createTestingModule({
    imports: [ClientsModule.forRoot({ clients: { pool: defineClient({ create: () => new Connection(), close }) } })],
  }).compile();
  const registry = app.get<ClientRegistry<{ pool: Connection }>>(ClientRegistry);
  return { app, registry, connection: await registry.get('pool') };
}

describe('closeAllClients', () => {
  it('closes the clients of every application that was left open', async () => {
    const one = await open();
    const two = await open();

    await closeAllClients();

    expect([one, two].map(({ connection }) => connection.closed)).toEqual([1, 1]);
    expect(one.registry.status()).toMatchObject([{ name: 'pool', state: 'closed' }]);
  });

  it('closes nothing twice', async () => {
    const { app, connection } = await open();

    await app.close();
    await closeAllClients();
    await closeAllClients();

    expect(connection.closed).toBe(1);
  });

  it('closes the rest when one fails', async () => {
    const broken = await open(() => Promise.reject(new Error('broken pipe')));
    const sound = await open();

    await expect(closeAllClients()).rejects.toThrow('"pool" (');

    expect(sound.connection.closed).toBe(1);
    expect(broken.registry.status()).toMatchObject([{ state: 'closed' }]);
    await closeAllClients();
  });

  it('does not report an application that has closed already, even if that failed', async () => {
    const { app, registry } = await open(() => Promise.reject(new Error('cannot')));
    await app.close();
    await expect(registry.close()).rejects.toMatchObject({ code: 'CLIENTS_CLOSE_FAILED' });
    await closeAllClients();
  });

  it('resolves when there is nothing to close', async () => {
    await expect(closeAllClients()).resolves.toBeUndefined();
  });
});
