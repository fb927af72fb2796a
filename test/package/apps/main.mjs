import 'reflect-metadata';
import visits from './visits-app.cjs';

const platform = process.argv[2];
const packages = await Promise.all(visits.PACKAGES.map((name) => import(name)));
const adapters = await import(`@nestjs/platform-${platform}`);
await visits.run(packages, () => new (adapters.ExpressAdapter ?? adapters.FastifyAdapter)());
