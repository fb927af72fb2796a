import { ConfigService } from '@nestjs/config';
import { dynamoDBClient, dynamoDBDocumentClient } from 'nestjs-clients/dynamodb';
import type { AppConfig } from '../config/environment.js';

/** A local server takes any. */
const LOCAL_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

export const dynamodb = dynamoDBClient({
  inject: [ConfigService],
  useFactory: (config: AppConfig) => {
    const endpoint = config.get('DYNAMODB_ENDPOINT', { infer: true });
    return {
      endpoint,
      region: config.get('AWS_REGION', { infer: true }) ?? config.get('AWS_DEFAULT_REGION', { infer: true }),
      // For any other server the SDK finds the account's own.
      ...(endpoint.startsWith('http:') && { credentials: LOCAL_CREDENTIALS }),
      requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
    };
  },
});

/** Built on the client named `dynamodb`, and closed before it. */
export const dynamodbDocument = dynamoDBDocumentClient();
