/** Has no Redis: for the peers that have no DynamoDB. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { AwsSdkModule } from 'aws-sdk-v3-nest';
import { DYNAMODB } from '../../settings.mjs';

export function addDynamoDB(subject) {
  const dynamodb = AwsSdkModule.register({ client: new DynamoDBClient(DYNAMODB), isGlobal: true });
  return { ...subject, imports: [...subject.imports, dynamodb] };
}
