import { testConnectionEvents } from './connection-events.suite.js';

testConnectionEvents('ioredis 6');
