import * as jest from '@jest/globals';
import { describeVisits } from './app.runner.mjs';

describeVisits(jest);
