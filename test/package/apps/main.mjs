import 'reflect-metadata';
import visits from './visits-app.cjs';

const packages = await Promise.all(visits.PACKAGES.map((name) => import(name)));
await visits.run(packages, await import(`@nestjs/platform-${process.argv[2]}`));
