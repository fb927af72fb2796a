/**
 * The README as the page on npm shows it. Links like `docs/redis.md` lead nowhere there, so they become addresses of the same
 * files of the published version.
 *
 *   node .npm/readme.mjs absolute   before packing
 *   node .npm/readme.mjs restore    afterwards
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const README = join(ROOT, 'README.md');
const BACKUP = join(ROOT, '.npm/README.backup.md');

const [action] = process.argv.slice(2);
if (action === 'absolute') {
  const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const text = readFileSync(existsSync(BACKUP) ? BACKUP : README, 'utf8');
  writeFileSync(BACKUP, text);
  writeFileSync(README, text.replaceAll('](docs/', `](https://unpkg.com/${name}@${version}/docs/`));
} else if (action === 'restore') {
  // While it publishes, npm reads the README after packing, and runs this a second time when it has published.
  const isPublished = process.env.npm_command !== 'publish' || process.env.npm_lifecycle_event === 'postpublish';
  if (isPublished && existsSync(BACKUP)) renameSync(BACKUP, README);
} else {
  throw new Error(`Give "absolute" or "restore", not "${action}".`);
}
