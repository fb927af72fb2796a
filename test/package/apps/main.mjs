// node main.mjs <platform> <app>
import 'reflect-metadata';

const { default: app } = await import(`./${process.argv[3]}-app.cjs`);
const packages = await Promise.all(app.PACKAGES.map((name) => import(name)));
await app.run(packages, await import(`@nestjs/platform-${process.argv[2]}`));
