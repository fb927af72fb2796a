import { vi } from 'vitest';
import { testCredentials } from './credentials.suite.js';

vi.mock('ioredis', () => import('ioredis-5'));

testCredentials('ioredis 5');
