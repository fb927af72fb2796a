import { ClientsInvalidOptionsError } from '../errors/clients-invalid-options.error.js';
import { ClientsMissingPackageError } from '../errors/clients-missing-package.error.js';
import type { AwsClient, AwsClientClass } from './aws-sdk.js';

/**
 * The class that `load` returns.
 *
 * @throws ClientsMissingPackageError (`CLIENTS_MISSING_PACKAGE`) if its package is not installed;
 * ClientsInvalidOptionsError (`CLIENTS_INVALID_OPTIONS`) if it returns anything else
 */
export async function loadClass<C extends AwsClientClass>(load: () => Promise<C>, client: string): Promise<C> {
  const where = `Client "${client}"`;
  let loaded: unknown;
  try {
    loaded = await load();
  } catch (error) {
    const missing = findMissingPackage(error);
    if (missing) throw new ClientsMissingPackageError(missing, where, { cause: error });
    throw error;
  }
  const problem = findClassProblem(loaded);
  if (problem) throw new ClientsInvalidOptionsError(where, `its "load" returned ${problem}`);
  return loaded as C;
}

function findClassProblem(loaded: unknown): string | undefined {
  const remedy = 'return the class of a client, as in async () => (await import("@aws-sdk/client-s3")).S3Client';
  if (typeof loaded !== 'function' || typeof loaded.prototype !== 'object') {
    return `${describe(loaded)}, which is no class; ${remedy}`;
  }
  const { send, destroy } = loaded.prototype as Partial<AwsClient>;
  const isClient = typeof send === 'function' && typeof destroy === 'function';
  return isClient ? undefined : `the class ${loaded.name}, which is not one of a client of the AWS SDK v3; ${remedy}`;
}

function describe(loaded: unknown): string {
  if (loaded === undefined || loaded === null) return `${loaded}, perhaps because the class is spelt otherwise`;
  if (typeof loaded !== 'object') return typeof loaded === 'function' ? 'a function' : `a ${typeof loaded}`;
  const clients = Object.keys(loaded).filter((key) => /^\w+Client$/.test(key) && !key.startsWith('_'));
  return clients.length > 0 ? `a module, which has ${clients.join(', ')}` : 'an object';
}

/** The package that `load` imports, if that is what is not installed, and not something that the package needs itself. */
function findMissingPackage(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  if (error.code !== 'ERR_MODULE_NOT_FOUND' && error.code !== 'MODULE_NOT_FOUND') return undefined;
  const [, name = ''] = /'((?:@[\w.~-]+\/)?[\w~-][\w.~-]*)(?:\/[^']*)?'/.exec(error.message) ?? [];
  const isSdk = /^@aws-sdk\/(client|lib)-/.test(name);
  const isImportedByPackage = /(?:imported from|Require stack:)[^]*?node_modules/.test(firstImporter(error.message));
  return name !== '' && (isSdk || !isImportedByPackage) ? name : undefined;
}

/** `require` lists the whole chain of importers; the direct one comes first. */
function firstImporter(message: string): string {
  const [start = '', stack = ''] = message.split(/(?<=Require stack:)/);
  return start + (stack.trim().split('\n')[0] ?? '');
}
