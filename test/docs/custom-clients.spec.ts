import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import type { DynamicModule, Type } from '@nestjs/common';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ClientsModule, defineClient, InjectClient } from '../../src/index.js';
import { bootApp, recordEvents, registryOf } from '../support/boot-app.js';
import { runExample } from './examples.js';

const PAGE = 'docs/custom-clients.md';

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe(PAGE, () => {
  it('builds, uses and closes an HTTP agent', async () => {
    const port = await portOf(createHttpServer((_, response) => response.end('sunny')));
    const { WeatherModule, Weather } = await runExample<{
      WeatherModule: Type;
      Weather: Type<{ agent: { closed: boolean }; at(url: string): Promise<string> }>;
    }>(PAGE, 'WeatherModule');
    const app = await bootApp(WeatherModule);
    const weather = app.get(Weather);

    expect(await weather.at(`http://127.0.0.1:${port}/`)).toBe('sunny');
    await app.close();
    expect(weather.agent.closed).toBe(true);
    expect(registryOf(app).status()).toMatchObject([{ kind: 'http', state: 'closed', consumers: ['Weather'] }]);
  });

  it('takes a class as a driver', async () => {
    const received: Promise<string>[] = [];
    const port = await portOf(createServer((socket) => void received.push(text(socket))));
    const { MetricsModule } = await runExample<{ MetricsModule: DynamicModule }>(PAGE, 'MetricsModule', {
      8125: String(port),
    });
    const app = await bootApp({ imports: [MetricsModule] });
    const socket = (await registryOf(app).get('metrics')) as NodeJS.WritableStream;

    await new Promise<void>((resolve) => {
      socket.write('visits:1|c\n', () => resolve());
    });
    await app.close();
    expect(await received[0]).toBe('visits:1|c\n');
  });

  it('is right that Nest calls the hooks of a client, once for each class that injects it', async () => {
    const calls: string[] = [];
    const main = defineClient({
      create: () => ({ onModuleDestroy: () => calls.push('hook') }),
      close: () => calls.push('close'),
    });
    const consumers = ['First', 'Second'].map((name) => {
      const consumer = { [name]: class {} }[name] as Type;
      InjectClient('main')(consumer.prototype as object, 'client');
      return consumer;
    });
    const app = await bootApp({ imports: [ClientsModule.forRoot({ clients: { main } })], providers: consumers });
    await app.close();
    expect(calls).toEqual(['hook', 'hook', 'close']);
  });

  it('closes a client before the one that it is built on', async () => {
    const port = await portOf(createHttpServer((_, response) => response.end('["a"]')));
    const { CatalogueModule, Catalogue } = await runExample<{
      CatalogueModule: Type;
      Catalogue: Type<{ search: { find(url: string): Promise<unknown> } }>;
    }>(PAGE, 'CatalogueModule');
    const app = await bootApp(CatalogueModule);
    const events = recordEvents(registryOf(app));

    expect(await app.get(Catalogue).search.find(`http://127.0.0.1:${port}/`)).toEqual(['a']);
    await app.close();
    const closed = events.filter(({ type }) => type === 'closed').map(({ client }) => client);
    expect(closed).toEqual(['search', 'http']);
  });

  it('leaves open what belongs to somebody else', async () => {
    const { BorrowedModule, processAgent } = await runExample<{
      BorrowedModule: DynamicModule;
      processAgent: { closed: boolean; close(): Promise<void> };
    }>(PAGE, 'BorrowedModule');
    onTestFinished(() => processAgent.close());
    const app = await bootApp({ imports: [BorrowedModule] });

    expect(await registryOf(app).get('http')).toBe(processAgent);
    await app.close();
    expect(registryOf(app).status()).toMatchObject([{ name: 'http', state: 'closed' }]);
    expect(processAgent.closed).toBe(false);
  });
});
