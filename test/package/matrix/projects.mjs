// What `nest new` of Nest's CLI 11 and 12 makes, with this package added as docs/testing.md says, and the tests of that guide:
// the unit tests and the end-to-end tests, by each project's own scripts. CLI 11 makes projects for Jest, CLI 12 for Vitest.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { npm } from '../pack.mjs';
import { attempt, install, run } from './harness.mjs';
import { installCommands, jestSettings, redisTest, unitTest, visits } from './testing-guide.mjs';

export function checkProjects(tarball, nodes) {
  for (const cli of [11, 12]) {
    const project = createProject(cli, tarball);
    for (const { version, path } of nodes) {
      const env = { PATH: `${dirname(path)}:${process.env.PATH}` };
      for (const script of ['test', 'test:e2e'])
        attempt(`nest new, CLI ${cli}, Node ${version}: npm run ${script}`, () =>
          run('npm', ['run', script], project, env),
        );
    }
  }
}

function createProject(cli, tarball) {
  const folder = install(`cli-${cli}`, { dependencies: { '@nestjs/cli': `^${cli}.0.0` } });
  const options = ['--skip-git', '--skip-install', '--package-manager', 'npm'];
  run('npx', ['nest', 'new', 'shop', ...options], folder);
  const project = join(folder, 'shop');
  npm(project, 'install', tarball, 'ioredis');
  for (const command of installCommands) execFileSync('sh', ['-c', command], { cwd: project, stdio: 'pipe' });

  const esm = cli === 12;
  const code = (text, path) => (esm ? text : forJest(text)).replaceAll('./visits.js', esm ? `${path}.js` : path);
  writeFileSync(join(project, 'src/visits.ts'), visits);
  writeFileSync(join(project, 'src/visits.spec.ts'), code(unitTest, './visits'));
  writeFileSync(join(project, 'test/visits.e2e-spec.ts'), code(redisTest, '../src/visits'));
  if (!esm) {
    change(join(project, 'package.json'), (manifest) => ({ ...manifest, jest: withSettings(manifest.jest) }));
    change(join(project, 'test/jest-e2e.json'), withSettings);
  }
  return project;
}

/** The guide's tests are for Vitest; Jest has the same functions as globals. */
function forJest(code) {
  return code.replace(/^import .* from 'vitest';\n/m, '');
}

/** The guide's entries come first, as it says: of the transforms that fit a file, Jest takes the first. */
function withSettings({ transform, ...config }) {
  return { ...config, ...jestSettings, transform: { ...jestSettings.transform, ...transform } };
}

function change(file, edit) {
  writeFileSync(file, JSON.stringify(edit(JSON.parse(readFileSync(file, 'utf8')))));
}
