export { dynamoDBClient } from './dynamodb-client.js';
export { dynamoDBDocumentClient, type DynamoDBDocumentOptions } from './dynamodb-document-client.js';
export { DYNAMODB_CLIENT, DYNAMODB_DOCUMENT_CLIENT } from './dynamodb.tokens.js';
export { InjectDynamoDB } from './inject-dynamodb.decorator.js';
export { InjectDynamoDBDocument } from './inject-dynamodb-document.decorator.js';
