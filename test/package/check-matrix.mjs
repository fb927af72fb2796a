// The packed tarball in small apps, as the versions and tools that the README names would have it. Each part is a file in
// matrix/; `node test/package/check-matrix.mjs bundlers projects` runs these parts only.
import { checkApps } from './matrix/apps.mjs';
import { checkBundlers } from './matrix/bundlers.mjs';
import { conclude, work } from './matrix/harness.mjs';
import { checkLowestPeers } from './matrix/lowest-peers.mjs';
import { installNodes } from './matrix/nodes.mjs';
import { checkProjects } from './matrix/projects.mjs';
import { checkCoreTypes, installCompilers } from './matrix/types.mjs';
import { pack } from './pack.mjs';

const PARTS = {
  apps(tarball, nodes) {
    const compilers = installCompilers();
    checkCoreTypes(tarball, compilers);
    checkApps(tarball, nodes, compilers);
  },
  'lowest-peers': checkLowestPeers,
  projects: (tarball, nodes) => checkProjects(tarball, [...new Set([nodes[0], nodes.at(-1)])]), // for the sake of time
  bundlers: checkBundlers,
};

try {
  const wanted = process.argv.slice(2);
  const { path } = pack(work);
  const nodes = installNodes();
  for (const [name, check] of Object.entries(PARTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const start = performance.now();
    check(path, nodes);
    console.log(`${name}: ${Math.round((performance.now() - start) / 1_000)} s`);
  }
} finally {
  conclude();
}
