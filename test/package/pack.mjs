// Builds and packs the package outside of the working tree, whose `dist` other tests may be using at this moment.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

export function npm(folder, ...args) {
  const options = { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
  return execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], options);
}

/** Puts the tarball into `folder`; returns its path and what npm says of it. */
export function pack(folder) {
  const stage = join(folder, 'stage');
  mkdirSync(stage);
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (entry.isFile()) cpSync(join(root, entry.name), join(stage, entry.name));
  }
  for (const part of ['.npm', 'src', 'docs']) cpSync(join(root, part), join(stage, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(stage, 'node_modules'));
  const output = npm(stage, 'pack', '--json', '--pack-destination', folder);
  const [facts] = JSON.parse(output.slice(output.indexOf('[\n')));
  return { ...facts, path: join(folder, facts.filename) };
}
