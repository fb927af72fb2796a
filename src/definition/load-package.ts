import { ClientsMissingPackageError } from '../errors/clients-missing-package.error.js';

/**
 * Loads an optional package when it is first needed, in the copy that the application itself uses.
 *
 * In plain Node it is loaded with `require`: tracers and mocks hook into that, and do not see the `import()` of a CommonJS
 * package. In a bundle, and under Vitest and Jest, which mock `import()`, it is loaded with `load`. Use only the package's
 * named exports: `default` differs among these.
 *
 * @param load a literal `() => import('name')`, so that bundlers and TypeScript see it
 * @throws ClientsMissingPackageError (`CLIENTS_MISSING_PACKAGE`) if that package itself is not installed
 */
export async function loadPackage<M extends object>(
  packageName: string,
  neededBy: string,
  load: () => Promise<M>,
): Promise<M> {
  return (await requireInNode<M>(packageName)) ?? withNamedExports(await importPackage(packageName, neededBy, load));
}

/**
 * Imports an optional package when it is first needed.
 *
 * @param load a literal `() => import('name')`, so that bundlers and TypeScript see it
 * @param install the command that installs it, if that is not just `npm install` and the name
 * @throws ClientsMissingPackageError (`CLIENTS_MISSING_PACKAGE`) if that package itself is not installed
 */
export async function importPackage<M>(
  packageName: string,
  neededBy: string,
  load: () => Promise<M>,
  install?: string,
): Promise<M> {
  try {
    return await load();
  } catch (error) {
    // If the package is installed and something that it imports is not, the original error says what is missing.
    if (isMissing(error, packageName))
      throw new ClientsMissingPackageError(packageName, neededBy, { cause: error, install });
    throw error;
  }
}

async function requireInNode<M>(packageName: string): Promise<M | undefined> {
  if (MOCKING.some((key) => key in globalThis)) return undefined;
  try {
    const { requirePackage } = await import('./require.cjs');
    return requirePackage(packageName) as M;
  } catch {
    return undefined; // in a bundle, or not loadable with `require`; if `import()` fails too, its error is thrown
  }
}

/** Globals by which Vitest and Jest are recognised. Processes that a test starts do not have them. */
const MOCKING = ['__vitest_worker__', Symbol.for('jest-native-promise')];

/** In the chunk that a bundler makes of a CommonJS package, all exports may be under `default`. */
function withNamedExports<M extends object>(module: M): M {
  const named = Object.keys(module).some((name) => name !== 'default' && name !== 'module.exports');
  return named ? module : (module as { default: M }).default;
}

function isMissing(error: unknown, packageName: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const notFound = error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND';
  return notFound && error.message.includes(`'${packageName}'`);
}
