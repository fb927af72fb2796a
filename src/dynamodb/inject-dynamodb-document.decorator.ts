import { InjectClient } from '../inject-client.decorator.js';

/**
 * Injects the DynamoDB document client named `name`. Default `'dynamodbDocument'`.
 *
 * @example
 * constructor(@InjectDynamoDBDocument() private readonly documents: DynamoDBDocumentClient) {}
 */
export function InjectDynamoDBDocument(name = 'dynamodbDocument'): ParameterDecorator & PropertyDecorator {
  return InjectClient(name);
}
