import { ClientsMissingPackageError } from '../errors/clients-missing-package.error.js';

/**
 * Loads an optional package when it is first needed: the copy that the application itself uses.
 *
 * In Node it is loaded with `require`, because tracers and mocks hook into that and do not see the `import()` of a CommonJS
 * package. In a bundle, and in Vitest and Jest, whose mocks are seen by `import()`, `load` is what counts. Use the package's
 * named exports only: `default` is not the same in all of these.
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
 * @param install the command that installs it, if `npm install` and the name would not do
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
    // The package may be there while something that it imports is not: that is another mistake, with another remedy.
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
    return undefined; // in a bundle, or nothing that can be required; if it cannot be imported either, that error tells why
  }
}

/** What Vitest and Jest define in the process in which tests run, and not in those that tests start. */
const MOCKING = ['__vitest_worker__', Symbol.for('jest-native-promise')];

/** Where a bundler has made a chunk of a CommonJS package, all that it exports may be in `default`. */
function withNamedExports<M extends object>(module: M): M {
  const named = Object.keys(module).some((name) => name !== 'default' && name !== 'module.exports');
  return named ? module : (module as { default: M }).default;
}

function isMissing(error: unknown, packageName: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const notFound = error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND';
  return notFound && error.message.includes(`'${packageName}'`);
}
