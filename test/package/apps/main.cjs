require('reflect-metadata');
const assert = require('node:assert/strict');
const visits = require('./visits-app.cjs');

const platform = process.argv[2];
const packages = visits.PACKAGES.map((name) => require(name));
const adapters = require(`@nestjs/platform-${platform}`);

async function main() {
  // One copy, however it is loaded: what a CommonJS module declares, an ES module injects.
  for (const [index, name] of visits.PACKAGES.entries()) {
    const imported = await import(name);
    for (const [key, value] of Object.entries(packages[index])) assert.equal(imported[key], value, `${name}: ${key}`);
  }
  await visits.run(packages, () => new (adapters.ExpressAdapter ?? adapters.FastifyAdapter)());
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
