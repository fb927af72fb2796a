import { Module, type DynamicModule, type INestApplication, type ModuleMetadata, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { firstValueFrom, filter } from 'rxjs';
import { onTestFinished } from 'vitest';
import { ClientRegistry, ClientsModule, type ClientEvent, type ClientsModuleOptions } from '../../src/index.js';

/** Makes a module class from its metadata. */
export function moduleOf(metadata: ModuleMetadata, name = 'TestModule'): Type {
  class TestModule {
    readonly isTestModule = true;
  }
  Object.defineProperty(TestModule, 'name', { value: name });
  Module(metadata)(TestModule);
  return TestModule;
}

/** `forRoot` without the types of the clients. */
export function clientsOf(
  clients: ClientsModuleOptions['clients'],
  rest: Omit<ClientsModuleOptions, 'clients'> = {},
): DynamicModule {
  return ClientsModule.forRoot({ clients, ...rest });
}

export interface BootOptions {
  /** Listens on a free port, for tests that send requests. */
  listen?: boolean;
  logger?: false | Parameters<INestApplication['useLogger']>[0];
  /** Called before the application is initialised. */
  prepare?: (app: INestApplication) => void;
}

/** An application that has started; it is closed when the test ends. */
export async function bootApp(root: ModuleMetadata | Type, options: BootOptions = {}): Promise<INestApplication> {
  const rootModule = typeof root === 'function' ? root : moduleOf(root, 'AppModule');
  const app = await NestFactory.create(rootModule, { logger: options.logger ?? false, abortOnError: false });
  onTestFinished(() => app.close());
  options.prepare?.(app);
  if (options.listen) await app.listen(0, '127.0.0.1');
  else await app.init();
  return app;
}

export function registryOf(app: Pick<INestApplication, 'get'>): ClientRegistry {
  return app.get(ClientRegistry);
}

/** The next event of that type about that client. */
export function nextEvent<T extends ClientEvent['type']>(
  registry: ClientRegistry,
  type: T,
  client?: string,
): Promise<Extract<ClientEvent, { type: T }>> {
  const isMeant = (event: ClientEvent): event is Extract<ClientEvent, { type: T }> =>
    event.type === type && (client === undefined || event.client === client);
  const next = firstValueFrom(registry.events$.pipe(filter(isMeant)));
  next.catch(() => {}); // if the test has failed meanwhile, nobody awaits it
  return next;
}

/** Every event from now on, in an array that grows. */
export function recordEvents(registry: ClientRegistry): ClientEvent[] {
  const events: ClientEvent[] = [];
  registry.events$.subscribe((event) => events.push(event));
  return events;
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a rejection, but the promise was fulfilled');
}

/** What a function throws. */
export function thrown(action: () => unknown): Error & { code?: string } {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected an error, but none was thrown');
}

/** Lets everything that is due happen: all microtasks and one turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export async function request(app: INestApplication, path: string): Promise<Response> {
  return fetch(`${await app.getUrl()}${path}`, { headers: { connection: 'close' } });
}
