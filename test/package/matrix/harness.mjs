// What every part of the matrix uses: a folder to work in, npm, and checks that are counted.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npm, root } from '../pack.mjs';

export const APPS = join(import.meta.dirname, '../apps');
export const { devDependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
export const work = mkdtempSync(join(tmpdir(), 'nestjs-clients-matrix-'));

const failures = [];
let passed = 0;

export function attempt(label, check) {
  const start = performance.now();
  try {
    check();
    passed += 1;
    console.log(`${label}: ${Math.round(performance.now() - start)} ms`);
  } catch (error) {
    failures.push(`${label}: ${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
    console.log(`${label}: FAILED`);
  }
}

/** Tells how many checks passed, and of those that failed, why. */
export function conclude() {
  rmSync(work, { recursive: true, force: true });
  console.log(`${passed} passed, ${failures.length} failed`);
  if (failures.length === 0) return;
  console.error(failures.join('\n'));
  process.exitCode = 1;
}

export function run(program, args, cwd, env = {}, timeout = 120_000) {
  const options = { cwd, env: { ...process.env, CI: 'true', ...env }, timeout, killSignal: 'SIGKILL' };
  return execFileSync(program, args, { ...options, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs an app that says `closed` as its last word; that it ends at all shows that nothing is left open. */
export function runApp(program, args, cwd, env) {
  const output = run(program, args, cwd, env, 20_000);
  if (output.trim() !== 'closed') throw new Error(`it printed ${output}`);
}

/** A folder of its own with what the manifest asks for. */
export function install(name, manifest) {
  const folder = join(work, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', ...manifest }));
  npm(folder, 'install');
  return folder;
}

export function coreOf(tarball, nest) {
  return {
    '@nestjs/common': `^${nest}.0.0`,
    '@nestjs/core': `^${nest}.0.0`,
    '@types/node': devDependencies['@types/node'],
    'nestjs-clients': `file:${tarball}`,
    'reflect-metadata': devDependencies['reflect-metadata'],
    rxjs: devDependencies.rxjs,
  };
}

export function atLeast(version, ...wanted) {
  const given = version.split('.').map(Number);
  const index = wanted.findIndex((part, position) => part !== given[position]);
  return index === -1 || given[index] > wanted[index];
}
