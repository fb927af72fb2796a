import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LIBRARY = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
const LOCK = fileURLToPath(new URL('../../node_modules/.sample-app-build', import.meta.url));
const LOCK_TIMEOUT = 50_000;

/** What starts the built sample app. */
export const MAIN = fileURLToPath(new URL('../../sample-app/dist/main.js', import.meta.url));

/**
 * Builds the library and the sample app if either has not been built, as `npm test` does before all specs. Other specs
 * may be using them, so what is there stays. Specs that run at the same time build one after the other.
 */
export async function ensureBuilt(): Promise<void> {
  if (existsSync(LIBRARY) && existsSync(MAIN) && !existsSync(LOCK)) return;
  await lock();
  try {
    if (!existsSync(LIBRARY)) await run('npm', ['run', 'build'], { cwd: ROOT });
    if (!existsSync(MAIN)) await run('npm', ['run', 'build:sample-app'], { cwd: ROOT });
  } finally {
    await rm(LOCK, { recursive: true });
  }
}

async function lock(): Promise<void> {
  const deadline = performance.now() + LOCK_TIMEOUT;
  while (!(await createLock())) {
    if (performance.now() > deadline) throw new Error(`A build still runs, or has left ${LOCK} behind: remove it.`);
    await wait(100);
  }
}

/** Of those who try at the same time, one succeeds. */
async function createLock(): Promise<boolean> {
  try {
    await mkdir(LOCK);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
