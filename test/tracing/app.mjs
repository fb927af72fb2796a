import 'reflect-metadata';
import { run } from './clients.cjs';

await run((name) => import(name));
