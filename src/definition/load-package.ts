import { ClientsMissingPackageError } from '../errors/clients-missing-package.error.js';

/**
 * Loads an optional package when it is first needed.
 *
 * @param load a literal `() => import('name')`, so that bundlers and TypeScript see it
 * @throws ClientsMissingPackageError (`CLIENTS_MISSING_PACKAGE`) if that package itself is not installed
 */
export async function loadPackage<M>(packageName: string, neededBy: string, load: () => Promise<M>): Promise<M> {
  try {
    return await load();
  } catch (error) {
    // The package may be there while something that it imports is not: that is another mistake, with another remedy.
    if (isMissing(error, packageName)) throw new ClientsMissingPackageError(packageName, neededBy, { cause: error });
    throw error;
  }
}

function isMissing(error: unknown, packageName: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const notFound = error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND';
  return notFound && error.message.includes(`'${packageName}'`);
}
