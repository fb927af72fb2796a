export { HttpDrain } from './http-drain.js';
export { HttpDrainModule } from './http-drain.module.js';
export type { HttpDrainOptions } from './http-drain.module-options.js';
