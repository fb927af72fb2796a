import { Session } from 'node:inspector/promises';

const SDK = /node_modules\/(ioredis|@ioredis|@aws-sdk|@smithy|@aws)\//;

/**
 * Counts the files that V8 compiles from now on, ES modules and CommonJS alike. The debugger slows everything down: runs
 * that count do not measure time.
 */
export async function countModules() {
  const session = new Session();
  session.connect();
  const files = new Set();
  session.on('Debugger.scriptParsed', ({ params: { url } }) => {
    const file = url.replace(/^file:\/\//, '');
    if (file.startsWith('/')) files.add(file);
  });
  await session.post('Debugger.enable');
  files.clear();
  return () => ({ modules: files.size - 1, sdkModules: [...files].filter((file) => SDK.test(file)).length });
}
