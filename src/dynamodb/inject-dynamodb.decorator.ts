import { InjectClient } from '../inject-client.decorator.js';

/**
 * Injects the DynamoDB client named `name`. Default `'dynamodb'`.
 *
 * @example
 * constructor(@InjectDynamoDB() private readonly dynamodb: DynamoDBClient) {}
 */
export function InjectDynamoDB(name = 'dynamodb'): ParameterDecorator & PropertyDecorator {
  return InjectClient(name);
}
