import { testHealth } from './redis-health.suite.js';

testHealth('ioredis 6');
