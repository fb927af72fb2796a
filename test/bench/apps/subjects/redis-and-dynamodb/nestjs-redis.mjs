import { declare as declareRedis } from '../redis/nestjs-redis.mjs';
import { addDynamoDB } from './aws-sdk-v3-nest.mjs';

export const declare = () => addDynamoDB(declareRedis());
