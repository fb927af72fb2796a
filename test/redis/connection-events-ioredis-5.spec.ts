import { vi } from 'vitest';
import { testConnectionEvents } from './connection-events.suite.js';

vi.mock('ioredis', () => import('ioredis-5'));

testConnectionEvents('ioredis 5');
