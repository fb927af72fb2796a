import * as vitest from 'vitest';
import { describeVisits } from './app.runner.mjs';

describeVisits(vitest);
