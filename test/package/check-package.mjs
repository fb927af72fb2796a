// Packs the package, installs the tarball into empty folders, and uses it from there as a stranger would: with none of the
// optional peers, then with each of them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const { devDependencies, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const work = mkdtempSync(join(tmpdir(), 'nestjs-clients-'));
const NEST = ['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs'];

const CASES = [
  { peers: [], script: 'none.mjs' },
  { peers: ['ioredis'], script: 'redis.mjs' },
  { peers: ['@aws-sdk/client-dynamodb'], script: 'dynamodb.mjs' },
  { peers: ['@aws-sdk/client-dynamodb', '@aws-sdk/lib-dynamodb'], script: 'dynamodb-document.mjs' },
  { peers: ['@nestjs/terminus'], script: 'terminus.mjs' },
  { peers: ['ioredis', 'js-redis-server'], script: 'testing-redis.mjs' },
  { peers: ['@aws-sdk/client-dynamodb', 'dynalite'], script: 'testing-dynamodb.mjs' },
];

function npm(folder, ...args) {
  return execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, encoding: 'utf8' });
}

try {
  const [{ filename, size, unpackedSize, entryCount }] = JSON.parse(npm(root, 'pack', '--json', '--pack-destination', work));
  console.log(`nestjs-clients ${version}: ${size} bytes packed, ${unpackedSize} unpacked, ${entryCount} files`);

  for (const { peers, script } of CASES) {
    const folder = join(work, script.replace('.mjs', ''));
    mkdirSync(folder);
    const dependencies = Object.fromEntries([...NEST, ...peers].map((name) => [name, devDependencies[name]]));
    dependencies['nestjs-clients'] = `file:${join(work, filename)}`;
    // js-redis-server asks for ioredis 5 although it gets on with 6: our documentation gives this same override.
    const overrides = peers.includes('js-redis-server') ? { 'js-redis-server': { ioredis: '$ioredis' } } : {};
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true, dependencies, overrides }));
    npm(folder, 'install');
    writeFileSync(join(folder, 'main.mjs'), readFileSync(join(import.meta.dirname, 'cases', script)));
    const printed = execFileSync(process.execPath, ['main.mjs'], { cwd: folder, encoding: 'utf8', timeout: 60_000 });
    console.log(`with ${peers.join(' and ') || 'no optional peer'}: ${printed.trim()}`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
