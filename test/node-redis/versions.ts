import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { describeWithRedis } from '../support/redis-server.js';

/** The packages in which the supported versions of node-redis are installed here. */
const PACKAGES = { 5: 'redis-5', 6: 'redis' } as const;

export type Version = keyof typeof PACKAGES;
export const VERSIONS: readonly Version[] = [6, 5];

/** From now on `import('redis')` gives that version. */
export function useVersion(version: Version): void {
  if (version === 6) vi.doUnmock('redis');
  else vi.doMock('redis', () => import('redis-5'));
}

/** The version that is installed, such as '6.3.1'. */
export function installed(version: Version): string {
  const file = new URL(`../../node_modules/${PACKAGES[version]}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** A `describe` with real Redis servers for each version of node-redis. */
export function describeEachVersion(name: string, suite: (version: Version) => void): void {
  for (const version of VERSIONS) {
    describeWithRedis(`${name}, node-redis ${version}`, () => {
      beforeAll(async () => {
        useVersion(version);
        const { createClient } = await import('redis');
        const wanted = version === 6 ? await import('redis') : await import('redis-5');
        expect(createClient).toBe(wanted.createClient);
      });
      afterAll(() => useVersion(6));
      suite(version);
    });
  }
}
