// The declarations, read by TypeScript 5 to 7: those of the root alone, and with the optional peers beside them.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { APPS, atLeast, attempt, coreOf, install, run } from './harness.mjs';

const VERSIONS = ['5.2', '5.9', '6.0', '7.0'];
const STRICT = ['--strict', '--target', 'ES2022', '--experimentalDecorators', '--emitDecoratorMetadata', '--noEmit'];

export function installCompilers() {
  const folder = install('typescripts', {
    dependencies: Object.fromEntries(
      VERSIONS.map((version) => [`typescript-${version}`, `npm:typescript@~${version}.0`]),
    ),
  });
  return VERSIONS.map((version) => ({
    version,
    compiler: join(folder, 'node_modules', `typescript-${version}`, 'bin/tsc'),
  }));
}

/** Where nothing optional is installed. */
export function checkCoreTypes(tarball, compilers) {
  for (const nest of [11, 12]) {
    const folder = install(`core-${nest}`, { dependencies: coreOf(tarball, nest) });
    copyFileSync(join(APPS, 'types-core.ts.txt'), join(folder, 'core.ts'));
    for (const { version, compiler } of compilers) {
      attempt(`types without optional peers, Nest ${nest}, TypeScript ${version}`, () => {
        // skipLibCheck is off: every declaration that the root leads to must be right.
        const esm = ['--module', 'nodenext', '--types', 'node', '--lib', 'ES2023,ESNext.Disposable'];
        run(process.execPath, [compiler, ...STRICT, ...esm, '--exactOptionalPropertyTypes', 'core.ts'], folder);
      });
    }
  }
}

/** In ES modules, in CommonJS as TypeScript 5.8 and later understands it, and as older settings do. */
export function checkRedisTypes(folder, nest, compilers) {
  for (const { version, compiler } of compilers) {
    const check = (kind, file, ...options) =>
      attempt(`types with optional peers, Nest ${nest}, TypeScript ${version}, ${kind}`, () => {
        run(process.execPath, [compiler, ...STRICT, '--skipLibCheck', '--types', 'node', ...options, file], folder);
      });
    check('ES modules', 'redis.ts', '--module', 'nodenext');
    if (atLeast(version, 5, 8)) check('CommonJS, nodenext', 'commonjs/redis.ts', '--module', 'nodenext');
    const node10 = ['--module', 'commonjs', '--moduleResolution', 'node10'];
    if (atLeast(version, 6)) node10.push('--ignoreDeprecations', '6.0');
    if (nest === 11 && !atLeast(version, 7)) check('CommonJS, node10', 'commonjs/redis.ts', ...node10);
  }
}
