import { vi } from 'vitest';
import { testHealth } from './redis-health.suite.js';

vi.mock('ioredis', () => import('ioredis-5'));

testHealth('ioredis 5');
