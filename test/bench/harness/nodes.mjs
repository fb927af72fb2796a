import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const OWN = process.versions.node.split('.')[0];

/** Where a Node.js of that major version is: the one that runs this, or one that is installed into a temporary folder. */
export function findNode(major, log) {
  if (major === OWN) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const home = join(tmpdir(), `nestjs-clients-bench-node-${major}`);
  const file = join(home, 'node_modules', name, 'bin/node');
  if (!existsSync(file)) {
    log(`npm install ${name}@${major}`);
    const args = ['install', '--prefix', home, '--no-save', '--no-audit', '--no-fund', `${name}@${major}`];
    execFileSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return file;
}

export function versionOfNode(file) {
  return execFileSync(file, ['--version'], { encoding: 'utf8' }).trim();
}
