import { ConfigModule } from '@nestjs/config';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { expect } from 'vitest';
import type { ClientEvent } from '../../src/index.js';
import { recordEvents, registryOf } from '../support/boot-app.js';

/** What `ConfigService` gives, in place of an environment. */
export function configOf(values: Record<string, string>): Promise<DynamicModule> {
  return ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [() => values] });
}

/** Closes the application and expects that its clients were closed by themselves, once, none by force. */
export async function expectCleanClose(app: INestApplication, names: readonly string[]): Promise<ClientEvent[]> {
  const events = recordEvents(registryOf(app));
  await app.close();
  const ends = events.filter(({ type }) => type === 'closed' || type === 'closeFailed');
  expect(ends.map(({ client, type }) => `${client} ${type}`).toSorted()).toEqual(
    names.map((name) => `${name} closed`).toSorted(),
  );
  return events;
}
