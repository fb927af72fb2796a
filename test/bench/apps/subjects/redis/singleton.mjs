/** A client at module level, imported where it is used. Nobody closes it. */
import { Redis } from 'ioredis';
import { REDIS_URL } from '../../settings.mjs';

const redis = new Redis(REDIS_URL);

export const declare = () => ({ pick: () => redis });
