// The lowest version of every peer that the ranges in package.json allow, together.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { APPS, attempt, devDependencies, install, peerDependencies, runApp } from './harness.mjs';

/** The first of a range's versions that the registry has. */
const FIRST_PUBLISHED = { '@aws-sdk/lib-dynamodb': '3.8.0' };
const lowest = Object.fromEntries(
  Object.entries(peerDependencies).map(([name, range]) => [
    name,
    FIRST_PUBLISHED[name] ?? /^\^(\d+\.\d+\.\d+)/.exec(range)[1],
  ]),
);

export function checkLowestPeers(tarball) {
  const folder = install('lowest-peers', {
    dependencies: {
      ...lowest,
      'nestjs-clients': `file:${tarball}`,
      'reflect-metadata': devDependencies['reflect-metadata'],
    },
  });
  copyFileSync(join(APPS, 'every-peer.mjs'), join(folder, 'main.mjs'));
  const versions = Object.entries(lowest).map(([name, version]) => `${name} ${version}`);
  attempt(`the lowest of each peer, ${versions.join(', ')}`, () =>
    runApp(process.execPath, ['--no-warnings', 'main.mjs'], folder),
  );
}
