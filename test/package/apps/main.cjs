require('reflect-metadata');
const assert = require('node:assert/strict');
const visits = require('./visits-app.cjs');

const packages = visits.PACKAGES.map((name) => require(name));

async function main() {
  // One copy, however it is loaded: what a CommonJS module declares, an ES module injects.
  for (const [index, name] of visits.PACKAGES.entries()) {
    const imported = await import(name);
    for (const [key, value] of Object.entries(packages[index])) assert.equal(imported[key], value, `${name}: ${key}`);
  }
  await visits.run(packages, require(`@nestjs/platform-${process.argv[2]}`));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
