import { declare as declareRedis } from '../redis/liaoliaots.mjs';
import { addDynamoDB } from './aws-sdk-v3-nest.mjs';

export const declare = () => addDynamoDB(declareRedis());
