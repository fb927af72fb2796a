import { getClientToken } from '../clients.tokens.js';

/**
 * The injection token of the DynamoDB client named `dynamodb`, which is what `@InjectDynamoDB()` injects.
 *
 * @example
 * { provide: UsersRepository, inject: [DYNAMODB_CLIENT], useFactory: (dynamodb: DynamoDBClient) => new UsersRepository(dynamodb) }
 */
export const DYNAMODB_CLIENT = getClientToken('dynamodb');

/**
 * The injection token of the document client named `dynamodbDocument`, which is what `@InjectDynamoDBDocument()` injects.
 *
 * @example
 * Test.createTestingModule({ imports: [AppModule] }).overrideProvider(DYNAMODB_DOCUMENT_CLIENT).useValue(fake);
 */
export const DYNAMODB_DOCUMENT_CLIENT = getClientToken('dynamodbDocument');
