// node main.cjs <platform> <app>
require('reflect-metadata');
const assert = require('node:assert/strict');
const app = require(`./${process.argv[3]}-app.cjs`);

const packages = app.PACKAGES.map((name) => require(name));

async function main() {
  // One copy, however it is loaded: what a CommonJS module declares, an ES module injects.
  for (const [index, name] of app.PACKAGES.entries()) {
    const imported = await import(name);
    for (const [key, value] of Object.entries(packages[index])) assert.equal(imported[key], value, `${name}: ${key}`);
  }
  await app.run(packages, require(`@nestjs/platform-${process.argv[2]}`));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
