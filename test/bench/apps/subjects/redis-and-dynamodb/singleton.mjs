import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DYNAMODB } from '../../settings.mjs';

export { declare } from '../redis/singleton.mjs';

export const dynamodb = new DynamoDBClient(DYNAMODB);
