import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { rolldown, type RolldownOptions } from 'rolldown';
import { loadConfig } from 'rolldown/config';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface NodeRun {
  /** What the script wrote to its standard output. */
  readonly output: string;
  readonly errors: string;
  /** `null` if it did not end by itself within the deadline and was killed. */
  readonly code: number | null;
  /** Milliseconds from start to end. */
  readonly duration: number;
}

/**
 * Runs an ES module in a new, plain `node` process, in which it finds the transpiled sources of this library as
 * `./src/index.js` and so on. A test runner cannot show which modules are loaded, and whether the process ends.
 */
export async function runInNode(
  script: string,
  { timeout = 15_000, env = process.env }: { timeout?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<NodeRun> {
  const cache = join(ROOT, 'node_modules/.cache');
  await mkdir(cache, { recursive: true });
  const directory = await mkdtemp(join(cache, 'run-in-node-'));
  try {
    await writeSources(directory);
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
    await writeFile(join(directory, 'main.js'), script);
    const start = performance.now();
    const child = spawn(process.execPath, ['main.js'], {
      cwd: directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
    });
    const code = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { output, errors, code: await code, duration: performance.now() - start };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The transpiled sources by file name, made once for all runs of a test file. */
let transpiled: Promise<ReadonlyMap<string, string>> | undefined;

async function writeSources(directory: string): Promise<void> {
  transpiled ??= transpileSources();
  for (const [name, code] of await transpiled) {
    const target = join(directory, 'src', name);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, code);
  }
}

/** As the build does, only that each source becomes a file of its own: scripts import internal ones too. */
async function transpileSources(): Promise<ReadonlyMap<string, string>> {
  const files = await readdir(join(ROOT, 'src'), { recursive: true });
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'));
  const build = (await loadConfig(join(ROOT, 'rolldown.config.mjs'))) as RolldownOptions;
  const bundle = await rolldown({
    ...build,
    cwd: ROOT,
    input: Object.fromEntries(sources.map((file) => [file.replace(/\.ts$/, ''), join(ROOT, 'src', file)])),
  });
  const { output } = await bundle.generate({ format: 'esm', preserveModules: true, preserveModulesRoot: 'src' });
  return new Map(output.map((file) => [file.fileName, file.type === 'chunk' ? file.code : String(file.source)]));
}
